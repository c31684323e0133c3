"""Secrets among the values: each becomes a key of a Secret, and never stands in a file."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any, Final

from greyhub.masking import named, named_value
from greyhub.secret_names import is_secret
from greyhub.secret_references import is_reference
from greyhub.secret_texts import holds_secret

NAME: Final = "from-z2jh"
"""The Secret whose keys are variables of the hub."""

KEPT: Final = "z2jh-kept"
"""The Secret with what z2jh's chart has made by itself."""

PULLING: Final = "image-pull-secret"
"""The Secret by which images are pulled, as z2jh calls its own."""

TLS: Final = "proxy-tls"
"""The Secret of a certificate that the values hold."""


class Reference:
    """What stands in place of a secret in the config file."""

    def __init__(self, variable: str) -> None:
        self.variable = variable

    def __repr__(self) -> str:
        return f'greyhub.secret(env="{self.variable}")'


class Secrets:
    """What the Secrets will hold, by their names and keys."""

    def __init__(self) -> None:
        self.data: dict[str, dict[str, str]] = {}
        self.types: dict[str, str] = {}
        self.paths: dict[str, str] = {}
        """From a key of `NAME` to the value that it was."""

    def keep(self, path: str, text: str, variable: str = "") -> str:
        """Keep a secret; the variable of the hub that will hold it."""
        wanted = variable or _variable(path)
        name, number = wanted, 1
        while name in self.paths and self.paths[name] != path:
            number += 1
            name = f"{wanted}_{number}"
        self.paths[name] = path
        self.put(NAME, name, text)
        return name

    def put(self, secret: str, key: str, text: str, kind: str = "Opaque") -> None:
        """A key of any Secret."""
        self.types[secret] = kind
        self.data.setdefault(secret, {})[key] = base64.b64encode(text.encode()).decode()

    def put_registry(self, secret: str, registry: str, said: Mapping[str, Any]) -> None:
        """The login at a registry of images, as kubelets read it."""
        login = {key: str(said[key]) for key in ("username", "password", "email") if said.get(key)}
        both = f"{login.get('username', '')}:{login.get('password', '')}"
        login["auth"] = base64.b64encode(both.encode()).decode()
        text = json.dumps({"auths": {registry: login}})
        self.put(secret, ".dockerconfigjson", text, "kubernetes.io/dockerconfigjson")

    def put_file(self, secret: str, key: str, file: Any) -> bool:
        """A file as z2jh's extraFiles have it; False where it cannot be written."""
        said = file if isinstance(file, Mapping) else {}
        suffix = PurePosixPath(str(said.get("mountPath", ""))).suffix
        if "stringData" in said:
            self.put(secret, key, str(said["stringData"]).removesuffix("\n") + "\n")
        elif "binaryData" in said:
            self.types[secret] = "Opaque"
            content = "".join(str(said["binaryData"]).split())
            self.data.setdefault(secret, {})[key] = content
        elif "data" in said and suffix in (".json", ".yaml", ".yml"):  # JSON is YAML, too
            self.put(secret, key, json.dumps(said["data"], indent=2))
        else:
            return False
        return True

    def without(self, path: str, value: Any, name: str = "") -> Any:
        """A value with a `Reference` in place of each secret in it."""
        if isinstance(value, str):
            return Reference(self.keep(path, value)) if holds_secret(name, value) else value
        if isinstance(value, Mapping):
            if is_reference(value):
                return dict(value)
            given = named_value(value)
            return {
                key: self.without(f"{path}.{key}", each, given if given and key == "value" else key)
                for key, each in value.items()
            }
        if isinstance(value, list):
            listed = is_secret(name)
            return [
                self.without(f"{path}.{number}", each, name if listed else before)
                for number, (before, each) in enumerate(named(value))
            ]
        return value

    def manifests(self) -> str:
        """The Secrets as ``kubectl apply`` reads them."""
        items = [
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "type": self.types[name],
                "metadata": {"name": name},
                "data": data,
            }
            for name, data in self.data.items()
        ]
        return json.dumps({"apiVersion": "v1", "kind": "List", "items": items}, indent=2)


def has_reference(value: Any) -> bool:
    """Whether a value has a `Reference` in it."""
    if isinstance(value, Mapping):
        return any(map(has_reference, value.values()))
    return isinstance(value, Reference) or (
        isinstance(value, list) and any(map(has_reference, value))
    )


def _variable(path: str) -> str:
    for begin in ("hub.config.", "hub."):
        path = path.removeprefix(begin)
    name = re.sub(r"\W+", "_", path).strip("_").upper()
    return name if not name[:1].isdigit() else f"SECRET_{name}"
