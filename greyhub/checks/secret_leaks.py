"""Find secrets that users, or readers of the config file, can see."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from traitlets.config import Config

from greyhub.adapter import Finding
from greyhub.checks.classes import options
from greyhub.checks.files import open_file
from greyhub.checks.platform import COMMAND_LINE, Platform
from greyhub.checks.provenance import Names
from greyhub.checks.seen_by_users import disclosed, items, reaches_users_by
from greyhub.checks.written_secrets import WrittenTexts
from greyhub.deferred_secrets import secrets_in
from greyhub.secret_names import is_secret
from greyhub.secret_references import SecretReference
from greyhub.secrets import Secret, StorageOptions


def check(platform: Platform) -> Iterator[Finding]:
    """Findings about secrets."""
    texts = WrittenTexts(platform.trace)
    for path, value in _settings(platform.written):
        if _referred(platform, path):
            for each in items(value).values():
                yield from _mappings(platform, path, each)
            held = []  # the hub does not read them
        else:
            held = list(secrets_in(value))
        seen = reaches_users_by(platform, *path[-2:])
        accepted = "users-see-secrets" in getattr(platform.greyhub, "risks", ())
        never = seen == "ticket" and held
        if never or (seen and not accepted and (held or disclosed(path[-1], value))):
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
