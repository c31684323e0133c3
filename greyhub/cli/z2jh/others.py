"""What is about the release as a whole, and the values of other charts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from greyhub.cli.z2jh.moving import (
    Group,
    Moving,
    Outcome,
    Rule,
    left,
    moved,
    not_needed,
    unneeded,
)
from greyhub.cli.z2jh.secrets import PULLING

_NAMES: Final = "objects have plain names, and there is one release in a namespace"


def _pull_secret(moving: Moving, path: str, value: Any) -> Outcome:
    if not moving.get("imagePullSecret.create"):
        return unneeded("imagePullSecret.create is off")
    return moved(f"the Secret {PULLING}")


def _debug(moving: Moving, path: str, value: Any) -> Outcome:
    if not value:
        return unneeded("logs are short")
    moving.option(path, "JupyterHub.log_level", "DEBUG")
    moving.write("c.Spawner.debug = True")
    return moved("c.JupyterHub.log_level and c.Spawner.debug")


def _old(moving: Moving, path: str, value: Any) -> Outcome:
    return left(
        "z2jh 1.0 and later do not read it: write it as hub.config, as z2jh's guide for that "
        "upgrade says, and again"
    )


def others(moving: Moving) -> None:
    """Say of the values of other charts what becomes of them."""
    for path, value in moving.values.others.items():
        name = path.rpartition(".")[2]
        off = isinstance(value, Mapping) and value.get("enabled") is False
        if name in ("global", "enabled"):
            outcome = unneeded("no chart of greyhub's reads it")
        elif name == "rbac":
            outcome = unneeded("the chart makes the Roles that the hub needs")
        elif off or value in (None, {}, [], ""):
            outcome = unneeded("it is off")
        else:
            outcome = left(
                "another chart reads it: install that as a release of its own, before this one "
                "goes, and see that its volumes stay"
            )
        moving.note(path, outcome, "Other charts")


def finish(moving: Moving) -> None:
    """The Secret by which images are pulled."""
    said = moving.get("imagePullSecret", {})
    if said.get("create"):
        registry = str(said.get("registry") or "https://index.docker.io/v1/")
        moving.secrets.put_registry(PULLING, registry, said)
    names = [
        *([PULLING] if said.get("create") else []),
        *moving.get("imagePullSecrets", []),
        *moving.get("hub.image.pullSecrets", []),
    ]
    plain = [each["name"] if isinstance(each, Mapping) else each for each in names]
    if plain:
        moving.chart["imagePullSecrets"] = list(dict.fromkeys(plain))


GROUP: Final = Group(
    "The release",
    {
        **dict.fromkeys(("nameOverride", "fullnameOverride"), not_needed(_NAMES)),
        "enabled": not_needed("no chart of greyhub's reads it"),
        "global": not_needed("no chart of greyhub's reads it"),
        "debug.enabled": Rule(_debug),
        "auth": Rule(_old),
        **{
            f"imagePullSecret.{key}": Rule(_pull_secret)
            for key in ("create", "registry", "username", "password", "email")
        },
        "imagePullSecret.automaticReferenceInjection": not_needed("pods name the Secret"),
    },
    chart=True,
    finish=finish,
)
