"""URLs: the login before the host, and the fields of the query and the fragment."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote_plus, unquote, unquote_plus

from greyhub.text_formats import Named

_URL = re.compile(r"(?<![\w+.-])([A-Za-z][\w+.-]*)://([^\s\"'<>`]+)")
_FIELDS = re.compile(r"(?<![^\s\"'?])\??(?=[\w.%-]+=[^\s&=\"']*&[\w.%-]+=)[^\s\"'<>]+")
"""A query by itself, as Azure writes its signatures: two fields at least."""

WORKED_OUT = ("x-access-token", "x-oauth-basic", "oauth2", "git", "x")
"""What stands beside a token where a login is asked for."""


def named(text: str) -> Iterator[Named]:
    """The passwords of URLs, lone tokens in the place of a login, and the fields of queries."""
    for found in _URL.finditer(text):
        start = found.start(2)
        authority = re.match(r"[^/?#]*", found[2])
        login, parted, _ = (authority[0] if authority else "").rpartition("@")
        if parted:
            yield from _login(found[1].lower(), login, start, found[2][len(login) + 1 :])
        for place in re.finditer(r"[?#]", found[2]):
            begin = start + place.end()
            rest = re.match(r"[^?#]*", text[begin : found.end()])
            yield from _fields(rest[0] if rest else "", begin)
    for found in _FIELDS.finditer(text):
        begin = found.start() + found[0].startswith("?")
        yield from _fields(text[begin : found.end()], begin)


def _login(scheme: str, login: str, start: int, rest: str) -> Iterator[Named]:
    user, parted, password = login.partition(":")
    if parted and password not in WORKED_OUT:
        begin = start + len(user) + 1
        yield Named("password", unquote(password), begin, start + len(login))
    elif scheme in ("http", "https") and not re.search(r"sentry|^[^/]*/\d+$", rest):
        yield Named("login token of", unquote(user), start, start + len(user))


def _fields(query: str, start: int) -> Iterator[Named]:
    for field in re.finditer(r"([^&;=]+)=([^&;]*)", query):
        name = unquote(field[1]).lower()
        name = name if name.startswith("x-") else f"query {name}"
        value = unquote_plus(field[2])
        written = None if value == field[2] else quote_plus
        yield Named(name, value, start + field.start(2), start + field.end(2), written)
