"""Names and values in lines and pairs: INI, headers, connection strings, netrc, pgpass."""

from __future__ import annotations

import re
from collections.abc import Iterator

from greyhub.text_formats import Kind, Named

_SETTING = re.compile(
    r"^[ \t]*(?:-[ \t]+|export[ \t]+|set[ \t]+)?(?P<quote>[\"']?)(?P<name>[A-Za-z_][\w.-]*)"
    r"(?P=quote)[ \t]*(?P<sign>[:=])[ \t]*(?P<value>.*)$"
)
_NO_SETTING = re.compile(r"^[ \t]*(?:[#;].*|\[.*\]|---|[\w./-]+:|-[ \t].*|[{}\[\],]*)[ \t\r]*$")
_PAIR = re.compile(
    r"""(?x) (?<![\w.-]) -{0,2} (?P<name>[A-Za-z_][\w.-]*)
    (?P<sign>['"]?[ \t]*(?:=|:(?![\w.-]+[ \t]*=))[ \t]*)
    (?P<value> '[^'\n]*' | "(?:[^"\\\n]|\\.)*" | `[^`]*` | \$\( (?: [^()] | \([^()]*\) )* \)
      | \{\{ [^{}]* \}\} | <[^<>\s]*> | (?: [^\s,;&'"<>`] | ,(?!\s|[\w.-]+=|$) )+ )
    """
)
_WORDS = re.compile(
    r"(?m)^[ \t]*(?P<how>ENV|ARG|setenv|set -\w+)?[ \t]*(?P<name>[A-Za-z_][\w.-]*)[ \t]+"
    r"(?P<value>\S+)[ \t\r]*$"
)
_SENTENCE = re.compile(r"(?i)\b(password|passphrase|token|secret|api key) is:? +([^\s,;'\"]+)")
_STATEMENT = re.compile(
    r"(?i)\b(?:(password|secret)|identified\s+(?:with\s+\w+\s+)?by)\s+'([^'\n]+)'"
)
_ATTRIBUTES = re.compile(
    r"""<\w+\s[^<>]*?\b(?:key|name)=(['"])([\w.:-]+)\1\s+value=(['"])([^<>]*?)\3"""
)
_ELEMENT = re.compile(r"<([A-Za-z][\w.:-]*)>([^<>]+)</")
_NETRC = re.compile(
    r"(?<!\S)(?:machine\s+\S+|default)((?:\s+(?:login|account)\s+\S+)*)\s+password\s+(\S+)"
)
_PGPASS = re.compile(r"(?m)^[^:\s#]+:(?:\d{2,5}|\*):[^:\s]+:[^:\s]+:(\S+)$")
_HEADER = re.compile(
    r"(?i)(?<![\w-])((?:proxy-)?authorization|(?:set-)?cookie)"
    r"['\"]?[ \t]*[:=][ \t]*['\"]?([^'\"\r\n]+)"
)
_SCHEME = re.compile(r"(?:([\w-]+)\s+)?(\S+)\s*")


def named(text: str) -> Iterator[Named]:
    """Whatever stands after a name, in any of the ways that are common."""
    yield from _lines(text)
    yield from _pairs(text)
    yield from _headers(text)
    for found in _WORDS.finditer(text):
        kind = Kind.FLAG if found["how"] or "\n" in text.strip() else Kind.PROSE
        yield Named(found["name"], found["value"], *found.span("value"), kind)
    for found in _SENTENCE.finditer(text):
        yield Named(found[1], found[2], *found.span(2), Kind.PROSE)
    for found in _STATEMENT.finditer(text):
        yield Named("password", found[2], *found.span(2))
    for found in _ATTRIBUTES.finditer(text):
        yield Named(found[2], found[4], *found.span(4))
    for found in _ELEMENT.finditer(text):
        yield Named(found[1], found[2], *found.span(2))
    for found in _NETRC.finditer(text):
        yield Named("password", found[2], *found.span(2))
    for found in _PGPASS.finditer(text):
        yield Named("password", found[1], *found.span(1))


def _lines(text: str) -> Iterator[Named]:
    """Settings by line; of a single line only one of a single word, as all else may be prose."""
    place, settings, others = 0, [], 0
    lines = text.splitlines(keepends=True)
    for line in lines:
        found = _SETTING.match(line.rstrip("\r\n"))
        if found:
            settings.append((place, found))
        elif not _NO_SETTING.match(line.rstrip("\r\n")):
            others += 1
        place += len(line)
    several = len(lines) > 1 and len(settings) > others
    for place, found in settings:
        value, begin = found["value"].rstrip(" \t,"), place + found.start("value")
        quoted = re.fullmatch(r"(['\"])(.*)\1(?:\s+#.*)?", value)
        if quoted:
            value, begin = quoted[2], begin + 1
        else:
            value = re.sub(r"(?<!\s)\s+[#;].*", "", value)
            if re.search(r"\s", value) and not (several and len(value) < 200):
                continue
        if (
            not value
            or value in ("|", ">", "|-", ">-")
            or value.startswith(("{", "[", "$(", "`", "&", "*"))
        ):
            continue
        if found["sign"] == ":" and found.end("sign") == found.start("value"):
            continue  # "secret:name", which is no YAML
        if found["sign"] == ":" and not several and found["name"][0].isupper() and value.isalpha():
            continue  # "Password: required"
        if not several and re.search(r"&[\w.-]+=", value):
            continue  # a query
        yield Named(found["name"], value, begin, begin + len(value))


def _pairs(text: str) -> Iterator[Named]:
    """Pairs anywhere: ``a=b``, ``--a=b``, ``"a": "b"``; ``a: b`` may be prose."""
    for found in _PAIR.finditer(text):
        value, sign = found["value"], found["sign"]
        start, end = found.span("value")
        if value[0] in "'\"" and len(value) > 1 and value[-1] == value[0]:
            value, start, end = value[1:-1], start + 1, end - 1
        sure = sign == "=" or sign[0] in "'\"" or found["value"][0] in "'\""
        name = found["name"]
        if not sure and (
            before := re.search(r"([A-Za-z]+) $", text[max(0, found.start() - 20) : found.start()])
        ):
            name = f"{before[1]} {name}"  # "API key: ..."
        yield Named(name, value, start, end, Kind.SETTING if sure else Kind.PROSE)
        if inner := re.match(r"([A-Za-z_][\w.-]*)=(.+)", value):  # --from-literal=password=...
            yield Named(inner[1], inner[2], start + inner.start(2), start + inner.end(2))


def _headers(text: str) -> Iterator[Named]:
    for found in _HEADER.finditer(text):
        value, start = found[2].rstrip(), found.start(2)
        if found[1].lower().endswith("cookie"):
            for field in re.finditer(r"([\w.-]+)=([^;\s]+)", value):
                if field[1].lower() not in _OF_COOKIES:
                    span = (start + field.start(2), start + field.end(2))
                    yield Named("password", field[2], *span)
        elif parts := _SCHEME.fullmatch(value):
            begin, end = start + parts.start(2), start + parts.end(2)
            kind = Kind.SETTING if parts[1] else Kind.PROSE
            yield Named("password", parts[2], begin, end, kind)


_OF_COOKIES = frozenset(("path", "domain", "expires", "max-age", "samesite", "priority", "version"))
