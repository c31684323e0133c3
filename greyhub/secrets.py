"""Read secrets late, and never show them.

`secret` stands in a config file where a secret would stand. It holds the name
of a variable or a file; JupyterHub is given the content when it builds the
object that needs it, so neither ``--show-config`` nor a log can print it. In
`StorageOptions` it stays a reference, which is what a ticket carries.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from traitlets import Bytes, Dict, TraitError, TraitType, Unicode
from traitlets.config.loader import DeferredConfig

from greyhub.errors import ConfigError
from greyhub.secret_references import SecretReference, references


def secret(env: str | None, file: str | None, beside: str | None = None) -> Secret:
    """A secret, one of ``env`` and ``file``; see `greyhub.secret`."""
    if (env is None) == (file is None):
        raise ConfigError(
            "greyhub.secret takes one of env and file",
            fix='write greyhub.secret(env="NAME") or greyhub.secret(file="/run/secrets/name")',
        )
    if file is None or file.startswith("~"):
        return Secret(env=env, file=file)
    directory = Path(beside).resolve().parent if beside else Path.cwd()
    return Secret(file=str(directory / file))


class Secret(SecretReference, DeferredConfig):
    """A reference that traitlets reads as it builds the object whose option it is."""

    def read(self) -> str:
        """The secret itself.

        Raises
        ------
        greyhub.errors.ConfigError
            It is not there, is empty or cannot be read. Names the source alone.
        """
        text, problem = self.content()
        if problem:
            raise ConfigError(
                f"the secret is missing: {self.source} {problem}",
                fix=f"put the secret into {self.source}, where the hub runs",
            )
        return text

    def get_value(self, trait: TraitType[Any, Any]) -> Any:
        """The secret as a value of the trait, as traitlets asks for it."""
        text = self.read()
        if isinstance(trait, Bytes):
            return text.encode()
        if isinstance(trait, Unicode):
            return text
        try:
            return trait.from_string(text)
        except (TraitError, ValueError, TypeError, NotImplementedError):
            return text


class StorageOptions(Dict):
    """An adapter's option: what a store's filesystem takes where the user opens it.

    A `Secret` in it is not read by the hub. It becomes a reference, ``{"env": "NAME"}``,
    which a ticket may carry, and `greyhub.secret_references.SecretReference` reads it in
    the user's server. A secret that is written out is refused.
    """

    def validate(self, obj: Any, value: Any) -> Any:
        """The options with a reference for each secret."""
        try:
            return references(super().validate(obj, value) or {})
        except ValueError as error:
            raise TraitError(str(error)) from None
