"""Which texts of a configuration are secrets, or have one in them.

A text is read as what it may be: JSON, YAML, a URL, settings, a command. Each reader says what
stands under which name, and where; here it is judged by name and value, as an option is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from greyhub.secret_names import is_about_a_secret, is_secret, word_set, words
from greyhub.secret_tokens import tokens
from greyhub.secret_values import (
    decoded,
    drawn_by_lot,
    is_code,
    is_fingerprint,
    is_identifier,
    is_login,
    is_open,
    is_plain_words,
    mixed,
)
from greyhub.text_formats import Kind, Named, command, json_text, settings, url, yaml_text

_AUTHORIZATION = re.compile(r"(?i)(?<![\w-])(bearer|basic)\s+([\w.~+/=-]{6,})")
_IN_QUERIES = word_set("key auth code")
_DEEPEST = 4


class Edit(NamedTuple):
    """What is to stand in a text's place."""

    start: int
    end: int
    text: str


def is_secret_text(name: str, text: str, *, store: bool = False) -> bool:
    """Whether a text that stands under a name is a secret itself.

    A switch, a place for a secret to be put in, a reference to one, the path of a
    file, what is public and the number of something are none.
    """
    if is_open(text):
        return False
    said = words(name)
    if said[-1:] == ["auth"] and is_login(text):
        return True
    if not is_secret(name, store=store):
        return is_about_a_secret(said) and drawn_by_lot(text)
    if "." in name.partition("/")[0] and "/" in name and is_plain_words(text):
        return False  # an annotation of Kubernetes', which names one
    return not _is_something_else(said, text, store)


def _is_something_else(said: list[str], text: str, store: bool) -> bool:
    """Whether a text under a secret's name is of another kind than the name's secrets are."""
    last = said[-1]
    if text.isdigit():
        if last in ("token", "tokens", "key", "keys"):
            return len(text) <= 9
        return last == "pass" and len(text) <= 2
    if last == "key" and is_plain_words(text) and is_secret(text):
        return True  # the name of a field, as Kubernetes has secretKey
    if last in ("credential", "credentials", "cred", "creds"):
        return is_plain_words(text)
    if said == ["secret"] and not store:
        return is_plain_words(text) and len(words(text)) > 1 and is_secret(text.rstrip("s"))
    if said == ["keys"]:
        return not mixed(text) or len(text) < 16
    if said == ["sas"]:
        return len(text) < 8
    if {"gpg", "pgp"} & set(said):
        return is_fingerprint(text)
    return bool({"kms", "cmk", "cmek"} & set(said)) and is_identifier(text)


def holds_secret(name: str, text: str, *, store: bool = False) -> bool:
    """Whether a text is a secret or has one in it: a URL's password, an argument's value."""
    return is_secret_text(name, text, store=store) or hidden(text) != text


def hidden(text: str, mask: str = "***") -> str:
    """A text of any kind, with the secrets that can be told from the text itself masked."""
    return _edited(text, mask, 0)


def _edited(text: str, mask: str, depth: int) -> str:
    pieces, place = [], 0
    for each in _merged(_edits(text, mask, depth), mask):
        pieces += [text[place : each.start], each.text]
        place = each.end
    return "".join((*pieces, text[place:]))


def _edits(text: str, mask: str, depth: int) -> Iterator[Edit]:
    """All that is to be masked, from every reader that has something to say about a text."""
    deep = depth < _DEEPEST
    if json_text.is_json(text):
        for each in json_text.named(text):
            yield from _edits_of(each, mask, depth, deep)
        return
    for start, end in (*tokens(text), *_authorizations(text)):
        yield Edit(start, end, mask)
    plain = decoded(text.strip()) if deep else ""
    if len(plain) > 12 and _edited(plain, mask, depth + 1) != plain:
        yield Edit(0, len(text), mask)
    judged = set()
    for each in yaml_text.named(text):
        judged.add(each.start)
        yield from _edits_of(each, mask, depth, deep and each.written is not None)
    for reader in (url.named, settings.named, command.named):
        for each in reader(text):
            if each.start not in judged and not (reader is settings.named and _is_variable(each)):
                own = each.written is not None or each.kind is Kind.WORDS
                yield from _edits_of(each, mask, depth, deep and own)
            if reader is url.named:
                judged.add(each.start)


def _is_variable(each: Named) -> bool:
    """Whether a setting is code: ``token=token``, ``token = given["token"]``."""
    return is_code(each.text) or each.text.rstrip(")]}") == each.name


def _edits_of(each: Named, mask: str, depth: int, deep: bool) -> Iterator[Edit]:
    """What is to be masked of one text under a name: all of it, or what is inside."""
    if _is_named_secret(each):
        yield Edit(each.start, each.end, mask)
    elif deep:
        inside = _edited(each.text, mask, depth + 1)
        if inside != each.text:
            yield Edit(each.start, each.end, each.written(inside) if each.written else inside)


def _is_named_secret(each: Named) -> bool:
    """Whether what a reader has found is a secret; what it is unsure of must look like one."""
    name, text = each.name, each.text
    if each.kind is Kind.USER:
        return (drawn_by_lot(text) or (len(text) > 15 and mixed(text))) and not is_open(text)
    if each.kind is Kind.QUERY and words(name)[-1:] in (["sig"], ["signature"]):
        return not is_open(text)
    if each.kind is Kind.QUERY and name in _IN_QUERIES:
        return drawn_by_lot(text)
    if each.kind is Kind.PROSE and not mixed(text):
        return False
    if each.kind is Kind.FLAG and (text in _PROSE or _is_name(text) or re.match(r"\w+=[^=]", text)):
        return False
    if each.kind is Kind.QUERY and words(name)[-1:] == ["token"] and is_plain_words(text):
        return False  # which page comes next
    return is_secret_text(name, text)


def _is_name(text: str) -> bool:
    """Whether a text is itself a name of a secret, in several words: ``dbPassword``."""
    return text.isalpha() and len(words(text)) > 1 and is_secret(text)


_PROSE = word_set("to is in for and or with from of the a an as if option options flag argument")


def _authorizations(text: str) -> Iterator[tuple[int, int]]:
    """Where credentials stand after the name of a scheme, if they look like what it takes."""
    for found in _AUTHORIZATION.finditer(text):
        if found[1].lower() == "basic":
            secret = is_login(found[2])
        else:
            whole = found[1] == "Bearer" and found.span() == (0, len(text))
            secret = drawn_by_lot(found[2]) or (whole and mixed(found[2]))
        if secret:
            yield found.span(2)


def _merged(edits: Iterator[Edit], mask: str) -> Iterator[Edit]:
    """Edits in their order; of those that overlap one, over all of them."""
    last: Edit | None = None
    for each in sorted(set(edits), key=lambda edit: (edit.start, -edit.end)):
        if last is None or each.start >= last.end:
            if last:
                yield last
            last = each
        elif each.end > last.end:
            last = Edit(last.start, each.end, mask)
    if last:
        yield last
