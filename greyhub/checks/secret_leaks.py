"""Find secrets that users, or readers of the config file, can see."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from traitlets import Enum
from traitlets.config import Config
from traitlets.config.loader import LazyConfigValue

from greyhub.adapter import Adapter, Finding
from greyhub.checks.classes import options
from greyhub.checks.facts import holds
from greyhub.checks.platform import COMMAND_LINE, Platform
from greyhub.checks.provenance import Names, Trace
from greyhub.secret_names import (
    STORE_OPTIONS,
    holds_secret,
    is_reference,
    is_secret,
    named,
    named_value,
)
from greyhub.secret_references import SecretReference, literal_secrets
from greyhub.secrets import Secret, StorageOptions, secrets_in

SEEN_BY_USERS = {
    "Spawner": ("environment", "args", "cmd", "default_url", "notebook_dir"),
    "KubeSpawner": ("extra_annotations", "extra_labels", "init_containers", "profile_list"),
    "GreyHub": ("name", "homespace", "cluster", "data"),
}
"""Options whose value reaches a user's server, or a ticket. Also, any option of an adapter
whose trait is tagged ``seen=True``."""


def check(platform: Platform) -> Iterator[Finding]:
    """Findings about secrets."""
    texts = Texts(platform.trace)
    for path, value in _settings(platform.written):
        if _referred(platform, path):
            for each in _items(value).values():
                yield from _mappings(platform, path, each)
            held = []  # the hub does not read them
        else:
            held = list(secrets_in(value))
        seen = _seen(platform, *path[-2:])
        accepted = "users-see-secrets" in getattr(platform.greyhub, "risks", ())
        never = seen == "ticket" and held
        if never or (seen and not accepted and (held or _disclosed(path[-1], value))):
            fix = "give each user a secret of their own, or let a service hold it"
            meant = "; or say that it is meant: c.GreyHub.accepted_risks = ['users-see-secrets']"
            yield platform.finding(
                "error",
                path,
                "users can read this value, and it holds a secret",
                fix if never else fix + meant,
            )
        elif texts.written_out(platform, path, value):
            on_line = platform.where(*path) == COMMAND_LINE
            yield platform.finding(
                "warning",
                path,
                "the secret stands on the command line, which every account here can read"
                if on_line
                else "the secret stands in the file itself",
                "put it into a variable or a file of the hub's, and in its place "
                f'greyhub.secret(env="{_variable(path)}")',
            )
        yield from _inherited(platform, path, held)
        for secret in held:
            if secret.path is not None:
                yield from open_file(platform, path, secret.path)


def _variable(path: tuple[str, ...]) -> str:
    """A name for the variable that could hold the secret of an option."""
    return path[-1].upper() if is_secret(path[-1]) else "NAME"


def _settings(
    config: Config, prefix: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Any]]:
    for key, value in config.items():
        if isinstance(value, Config):
            yield from _settings(value, (*prefix, key))
        elif prefix:
            yield (*prefix, key), value


def _seen(platform: Platform, section: str, option: str) -> str:
    """How the value of an option reaches users: in a ``ticket``, otherwise, or not at all."""
    for cls in platform.readers.by_section.get(section, ()):
        trait = options(cls).get(option)
        if issubclass(cls, Adapter) and trait is not None and trait.metadata.get("seen"):
            return "ticket"
        if any(option in SEEN_BY_USERS.get(base.__name__, ()) for base in cls.__mro__):
            return "ticket" if section == "GreyHub" else "server"
    return ""


def _referred(platform: Platform, path: Names) -> bool:
    """Whether secrets in an option stay references, which the user's server reads."""
    cls = platform.readers.of(*path[-2:])
    return cls is not None and isinstance(options(cls)[path[-1]], StorageOptions)


def _mappings(platform: Platform, path: Names, value: Any) -> Iterator[Finding]:
    """References in the form that they have in a ticket: the former one of a config file."""
    if isinstance(value, Mapping) and (reference := SecretReference.of(value)):
        [(kind, place)] = reference.mapping.items()
        said = f"{value!r} is written as {reference!r} now"
        yield platform.finding("warning", path, said, f'write greyhub.secret({kind}="{place}")')
    elif isinstance(value, Mapping | list | tuple):
        for each in value.values() if isinstance(value, Mapping) else value:
            yield from _mappings(platform, path, each)


def _disclosed(option: str, value: Any) -> bool:
    """Whether a plain value of an option that users see holds a secret."""
    if isinstance(value, str):
        return "://" in value and holds_secret("", value)
    if option == "options" or option in STORE_OPTIONS:
        return any(True for _ in literal_secrets(_items(value), store=option in STORE_OPTIONS))
    return False


def _items(value: Any) -> Mapping[Any, Any]:
    if isinstance(value, LazyConfigValue):
        value = value._update
    return value if isinstance(value, Mapping) else {}


def _inherited(platform: Platform, path: tuple[str, ...], held: list[Secret]) -> Iterator[Finding]:
    """A variable that holds a secret must not be among those that servers inherit."""
    kept = platform.value("Spawner", "env_keep") or ()
    for secret in held:
        if secret.env is not None and secret.env in kept:
            yield platform.finding(
                "error",
                platform.is_set("Spawner", "env_keep") or ("Spawner", "env_keep"),
                f"servers inherit {secret.env}, which holds the secret of c.{'.'.join(path)}",
                f"take {secret.env} out of c.Spawner.env_keep",
            )


def open_file(platform: Platform, path: tuple[str, ...], file: Path) -> Iterator[Finding]:
    """A file that every account can read, on a machine where users have processes."""
    if not holds(platform, "servers-on-hub"):
        return
    try:
        mode = file.stat().st_mode
    except OSError:
        return
    if mode & 0o004:
        yield platform.finding(
            "warning",
            path,
            f"every account of this machine can read {file}, users' servers too",
            f"chmod 600 {file}",
        )


class Texts:
    """The texts that are written out in the files of a configuration."""

    def __init__(self, trace: Trace | None) -> None:
        self.trace = trace

    @cached_property
    def constants(self) -> set[str | bytes]:
        """Every text constant."""
        found: set[str | bytes] = set()
        for _, tree in self.trace.trees() if self.trace else ():
            for node in ast.walk(tree):
                if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes):
                    found.add(node.value)
        return found

    def written_out(self, platform: Platform, path: tuple[str, ...], value: Any) -> bool:
        """Whether an option holds a secret that stands in a file or on the command line."""
        texts = list(_secret_texts(path[-1], value))
        if not texts or _is_choice(platform, path):
            return False
        if platform.where(*path) == COMMAND_LINE:
            return True
        return any(text in self.constants for text in texts)


def _is_choice(platform: Platform, path: Names) -> bool:
    """Whether an option takes one of a few words, which are in the documentation."""
    cls = platform.readers.of(*path[-2:])
    return cls is not None and isinstance(options(cls)[path[-1]], Enum)


def _secret_texts(name: str, value: Any, store: bool = False) -> Iterator[str | bytes]:
    """The texts inside of a value that are secrets by the name that they stand under."""
    store = store or name in STORE_OPTIONS
    secret = is_secret(name, store=store)
    if isinstance(value, LazyConfigValue):
        for part in (value._extend, value._prepend, value._update):
            yield from _secret_texts(name, part, store)
    elif isinstance(value, Mapping):
        if is_reference(value):
            return
        given = named_value(value)
        for key, each in value.items():
            if secret and isinstance(key, str | bytes) and name.endswith("tokens"):
                yield key
            inner = given if given and key == "value" else str(key)
            yield from _secret_texts(name if secret else inner, each, store)
    elif isinstance(value, list | tuple | set):
        for before, each in named(value):
            inner = name if secret and not isinstance(each, Mapping) else before
            yield from _secret_texts(inner, each, store)
    elif isinstance(value, str):
        if holds_secret(name, value, store=store):
            yield str(value)
    elif isinstance(value, bytes) and value and secret:
        yield value
