"""Read the values of z2jh or a DaskHub, in the order of ``helm -f a -f b``, and merge them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from greyhub.errors import ConfigError

TOP: Final = ("hub", "singleuser", "proxy", "auth", "cull", "scheduling", "prePuller")
"""Values by which z2jh's own are told from those of a chart that z2jh is a part of."""

ALSO: Final = (
    "ingress",
    "httpRoute",
    "custom",
    "debug",
    "imagePullSecret",
    "imagePullSecrets",
    "rbac",
    "global",
    "enabled",
    "nameOverride",
    "fullnameOverride",
)
"""Values of z2jh's that other charts may have, too."""

DEPTH: Final = 3
"""So deep may z2jh's values stand: ``daskhub: basehub: jupyterhub:``."""


@dataclass
class Values:
    """What the files say, by the chart that it is for."""

    hub: dict[str, Any] = field(default_factory=dict)
    """z2jh's values."""

    gateway: dict[str, Any] = field(default_factory=dict)
    """dask-gateway's."""

    others: dict[str, Any] = field(default_factory=dict)
    """Those of other charts, by their paths."""


def read(files: Sequence[Path]) -> Values:
    """The values of the files, where a later one stands above those before it.

    Raises
    ------
    greyhub.errors.ConfigError
        A file cannot be read, or holds no values of z2jh.
    """
    found = Values()
    for file in files:
        said = _load(file)
        if "sops" in said:
            raise ConfigError("SOPS has encrypted it", where=str(file), fix="give it decrypted")
        parts = _sorted(said)
        found.hub = merge(found.hub, parts.hub)
        found.gateway = merge(found.gateway, parts.gateway)
        found.others = merge(found.others, parts.others)
    if not found.hub:
        raise ConfigError(
            "no values of Zero to JupyterHub are in it: neither 'hub:' and 'singleuser:' nor "
            "'jupyterhub:'",
            where=", ".join(map(str, files)),
            fix="give the files that helm is given with -f",
        )
    return found


def merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Two mappings as Helm merges them: mappings join, all else is replaced."""
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        if isinstance(old, Mapping) and isinstance(value, Mapping):
            merged[key] = merge(old, value)
        else:
            merged[key] = value
    return merged


def at(values: Mapping[str, Any], path: str, default: Any = None) -> Any:
    """A value by its path, ``hub.db.type``."""
    found: Any = values
    for key in path.split("."):
        if not isinstance(found, Mapping) or key not in found:
            return default
        found = found[key]
    return default if found is None else found


def has(values: Mapping[str, Any], path: str) -> bool:
    """Whether something is said there, be it null."""
    found: Any = values
    for key in path.split("."):
        if not isinstance(found, Mapping) or key not in found:
            return False
        found = found[key]
    return True


def _load(file: Path) -> Mapping[str, Any]:
    import yaml

    class Loader(yaml.SafeLoader):  # type: ignore[misc]
        """Helm's reading: a day is a text."""

    Loader.yaml_implicit_resolvers = {
        first: [each for each in known if not each[0].endswith(":timestamp")]
        for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    try:
        said = yaml.load(file.read_text(), Loader)  # noqa: S506
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"it cannot be read: {error}", where=str(file)) from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{file}:{mark.line + 1}" if mark else str(file)
        said_of = getattr(error, "problem", None) or "it is no YAML"
        raise ConfigError(said_of, where=where, fix="mend the file") from error
    if not isinstance(said, Mapping):
        raise ConfigError("it holds no values", where=str(file), fix="give a file for helm -f")
    return {str(key): _texts(each) for key, each in said.items()}


def _texts(value: Any) -> Any:
    """A value whose mappings have texts as their keys, as JSON has."""
    if isinstance(value, Mapping):
        return {str(key): _texts(each) for key, each in value.items()}
    return [_texts(each) for each in value] if isinstance(value, list) else value


def _sorted(said: Mapping[str, Any]) -> Values:
    nested = _wraps(said, 0)
    if not nested and any(key in said for key in (*TOP, *ALSO)):
        return Values(hub=dict(said))
    found = Values()
    for path, value in _parts(said, ""):
        if path.startswith("daskhub."):
            found.gateway = merge({"enabled": True}, found.gateway)
        chart = path.rpartition(".")[2]
        if chart == "jupyterhub" and isinstance(value, Mapping):
            found.hub = merge(found.hub, value)
        elif chart == "dask-gateway" and isinstance(value, Mapping):
            found.gateway = merge(found.gateway, value)
        else:
            found.others[path] = value
    return found


def _parts(said: Mapping[str, Any], above: str, depth: int = 0) -> Iterator[tuple[str, Any]]:
    for key, value in said.items():
        path = f"{above}.{key}" if above else key
        if key not in ("jupyterhub", "dask-gateway") and _wraps(value, depth + 1):
            yield from _parts(value, path, depth + 1)
        else:
            yield path, value


def _wraps(value: Any, depth: int) -> bool:
    """Whether these are the values of a chart that z2jh or dask-gateway is a part of."""
    if not isinstance(value, Mapping) or depth >= DEPTH:
        return False
    if any(isinstance(value.get(chart), Mapping) for chart in ("jupyterhub", "dask-gateway")):
        return not any(isinstance(value.get(key), Mapping) for key in ("hub", "singleuser"))
    return any(_wraps(each, depth + 1) for each in value.values())
