"""URLs: the login before the host, and the fields of the query and the fragment."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import quote_plus, unquote, unquote_plus

from greyhub.text_formats import Kind, Named

_URL = re.compile(
    r"""(?x) (?<![\w+.-]) ([A-Za-z][\w+.-]*)://
    ( (?: [^\s"'<>`/?\#,] | ,(?![A-Za-z][\w+.-]*://) )* )
    ( (?: [^\s"'<>`?\#,] | ,(?![A-Za-z][\w+.-]*://) )* )"""
)
_REST = re.compile(r"[?#][^\s\"'<>`?#]*")
_ALONE = re.compile(r"(?<![^\s\"'])\??(?=[\w.%-]+=[^\s&=\"']*&[\w.%-]+=)[^\s\"'<>]+")
"""A query by itself, as Azure writes its signatures: two fields at least."""
_FIELD = re.compile(r"([^?#&;=\s]+)=([^&;]*)")

BESIDE_A_TOKEN: Final = frozenset(("x-access-token", "x-oauth-basic", "oauth2", "git", "x", ""))
"""What stands in the place of a password where the user is a token."""

_REPORTS = re.compile(r"[^/]*sentry[^/]*/|/\d+$")
"""Addresses that programs send their faults to: who knows one may do that, and nothing else."""


def named(text: str) -> Iterator[Named]:
    """The passwords of URLs, users that may be tokens, and the fields of queries."""
    read = 0
    for found in _URL.finditer(text):
        login, parted, host = found[2].rpartition("@")
        if parted:
            yield from _login(found[1].lower(), login, found.start(2), host + found[3])
        place = found.end()
        while place >= read and (rest := _REST.match(text, place)):
            yield from _fields(text, place, rest.end())
            place = read = rest.end()
    for found in _ALONE.finditer(text):
        yield from _fields(text, *found.span())


def _login(scheme: str, login: str, start: int, rest: str) -> Iterator[Named]:
    user, _, password = login.partition(":")
    if password not in BESIDE_A_TOKEN:
        yield Named("password", unquote(password), start + len(user) + 1, start + len(login))
    elif scheme in ("http", "https") and not _REPORTS.search(rest):
        yield Named("user", unquote(user), start, start + len(user), Kind.USER)


def _fields(text: str, start: int, end: int) -> Iterator[Named]:
    for field in _FIELD.finditer(text, start, end):
        value = unquote_plus(field[2])
        written = None if value == field[2] else quote_plus
        yield Named(unquote(field[1]).lower(), value, *field.span(2), Kind.QUERY, written)
