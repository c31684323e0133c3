"""Which secrets stand in the files of a configuration, or on the command line."""

from __future__ import annotations

import ast
from base64 import b64encode
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from traitlets import Enum
from traitlets.config.loader import LazyConfigValue

from greyhub.checks.classes import options
from greyhub.checks.platform import COMMAND_LINE, Platform
from greyhub.checks.provenance import Names, Trace
from greyhub.masking import named, named_value
from greyhub.secret_names import STORE_OPTIONS, is_secret
from greyhub.secret_references import is_reference
from greyhub.secret_texts import holds_secret


class WrittenTexts:
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
        return any(not self.constants.isdisjoint(_spellings(text)) for text in texts)


def _spellings(text: str | bytes) -> set[str | bytes]:
    """How a file may spell it: bytes are also written as hexadecimal digits or base64."""
    if isinstance(text, str):
        return {text}
    encoded = b64encode(text)
    return {text, text.hex(), text.hex().upper(), encoded, encoded.decode()}


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
