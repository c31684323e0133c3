"""Commands: what follows a flag, where the flag's name or the program makes clear what it is."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from itertools import pairwise
from typing import Final, NamedTuple

from greyhub.text_formats import Kind, Named

_WORD = re.compile(
    r"""(?x) (?: [^\s'"\\;&|<>()`$] | '[^']*' | "(?:[^"\\]|\\.)*" | \\.
      | \$\( (?:[^()] | \([^()]*\))* \) | \$ | ` [^`]* ` )+ | [;&|\n()]+ | <<< | [<>'"\\`]""",
    re.DOTALL,
)
_PLAIN = re.compile(r"""(?s)(['"])(?:(?!\1)[^\\])*\1""")
_FLAG = re.compile(r"--?[A-Za-z][\w.-]*")
_LOGIN = re.compile(r"(?s)(?:-{1,2}[\w-]+=|-[uU])?[^:,%]+[:,%]")
_SHORT = re.compile(r"(-[A-Za-z]|/p:)(.*)", re.DOTALL)

Programs = dict[str, frozenset[str]]


def _these(text: str) -> frozenset[str]:
    return frozenset(text.split())


_REGISTRY = "docker podman buildah skopeo nerdctl helm oc az"

FLAGS: Final[Programs] = {
    "-p": _these(f"sshpass twine mongo useradd usermod {_REGISTRY}"),
    "-a": _these("redis-cli valkey-cli"),
    "-w": _these("ldapsearch ldapadd ldapmodify ldapwhoami ldapdelete ldapcompare"),
    "-P": _these("sqlcmd bcp tsql mosquitto_pub mosquitto_sub zip unzip"),
    "-N": _these("ssh-keygen"),
    "-k": _these("openssl"),
    "password": _these("nmcli"),
}
"""Flags whose next word is a secret, in these programs alone."""

LOGIN_FIRST: Final = _these(_REGISTRY)
"""Programs in which ``-p`` is a password after the word ``login`` alone: before, it is a port."""

ATTACHED: Final[Programs] = {
    "-p": _these(
        "mysql mysqldump mysqladmin mysqlimport mysqlcheck mariadb mariadb-dump mariadb-admin "
        "7z 7za 7zz sshpass mongo mongosh mongodump mongorestore"
    ),
    "-P": _these("sqlcmd bcp"),
    "/p:": _these("xfreerdp xfreerdp3 wlfreerdp sdl-freerdp"),
    "-a": _these("redis-cli valkey-cli"),
    "-w": _these("ldapsearch ldapadd ldapmodify ldapwhoami"),
    "-u": _these("curl"),
    "-U": _these("curl"),
}
"""Short flags whose own rest is a secret, or a login."""

LOGINS: Final[Programs] = {
    "-u": _these("curl lftp"),
    "--user": _these("curl"),
    "-U": _these("curl smbclient rpcclient"),
    "--proxy-user": _these("curl"),
    "-a": _these("http https xh"),
    "--auth": _these("http https xh"),
    "--creds": _these("skopeo podman buildah"),
    "--src-creds": _these("skopeo"),
    "--dest-creds": _these("skopeo"),
}
"""Flags whose next word is a name and a password, parted by a colon, a comma or a percent sign."""

LAST: Final[Programs] = {
    "htpasswd": _these("-b -bc -cb -bB -Bb -nb -nbB"),
    "rabbitmqctl": _these("add_user change_password authenticate_user"),
    "vault": _these("login"),
    "wpa_passphrase": _these("wpa_passphrase"),
    "mc": _these("set"),
}
"""Programs that take a secret as their last word, with one of these words before it."""

FROM_INPUT: Final = _these(
    "--password-stdin --with-token --stdin --passphrase-fd --password-file=STDIN password_stdin -S "
    "chpasswd kinit"
)
"""Words of a program that reads a secret from what is piped into it."""


class Word(NamedTuple):
    """One word of a command, and where it stands."""

    text: str
    start: int
    end: int
    raw: str


def named(text: str) -> Iterator[Named]:
    """What follows a flag, by its name; passwords of programs; quoted words by themselves."""
    said: list[Word] = []
    piped: list[Word] = []
    for word in (*_words(text), Word(";", len(text), len(text), "")):
        if word.raw.strip(";&|\n()"):
            said.append(word)
            continue
        yield from _of_command(said)
        if any(each.text in FROM_INPUT for each in said):
            for before, after in pairwise(said):
                if before.text == "<<<":
                    yield _whole(after, "password")
        if piped and any(each.text in FROM_INPUT for each in said):
            yield from _echoed(piped)
        piped = said if word.text == "|" else []
        said = []


def _words(text: str) -> Iterator[Word]:
    for found in _WORD.finditer(text):
        raw = found[0]
        try:
            parts = shlex.split(raw) if "'" in raw or '"' in raw or "\\" in raw else [raw]
        except ValueError:
            parts = [raw]
        yield Word(parts[0] if len(parts) == 1 else raw, *found.span(), raw)


def _of_command(said: list[Word]) -> Iterator[Named]:
    program, login = "", False
    for place, word in enumerate(said):
        base = word.text.rpartition("/")[2]
        program = base if base in _PROGRAMS else program
        login = login or word.text == "login"
        before = said[place - 1].text if place else ""
        if place + 1 < len(said):
            yield from _after(program, login, before, word, said[place + 1])
        elif "=" not in word.text and {each.text for each in said} & LAST.get(program, frozenset()):
            yield _whole(word, "password")
        yield from _within(program, word)


def _after(program: str, login: bool, before: str, word: Word, after: Word) -> Iterator[Named]:
    """What follows a word: its value if that is a flag, or the name of a setting to be set."""
    if program in LOGINS.get(word.text, ()):
        yield from _login(after)
    elif program in FLAGS.get(word.text, ()) and (login or program not in LOGIN_FIRST):
        yield _whole(after, "password")
    elif _FLAG.fullmatch(word.text) and not after.text.startswith("-"):
        yield _whole(after, word.text.lstrip("-"), Kind.FLAG)
    elif before == "set" and re.fullmatch(r"[\w./:-]+", word.text):
        yield _whole(after, word.text, Kind.FLAG)  # aws configure set, npm config set


def _within(program: str, word: Word) -> Iterator[Named]:
    """What is inside of one word: the rest of a short flag, or a quoted text."""
    short = _SHORT.fullmatch(word.text)
    flag, parted, _ = word.text.partition("=")
    if parted and program in LOGINS.get(flag, ()):
        yield from _login(word)
    elif short and short[2] and program in ATTACHED.get(short[1], ()):
        if program in LOGINS.get(short[1], ()):
            yield from _login(word)
        else:
            yield _inside(word, len(short[1]))
    if _PLAIN.fullmatch(word.raw) and re.search(r"\s", word.text):
        yield _whole(word, "", Kind.WORDS)


def _whole(word: Word, name: str, kind: Kind = Kind.SETTING) -> Named:
    inner = 1 if _PLAIN.fullmatch(word.raw) else 0
    return Named(name, word.text, word.start + inner, word.end - inner, kind)


def _inside(word: Word, before: int) -> Named:
    """A password after so many letters of a word; with quotes inside, it is the whole word."""
    start = word.start + before if word.raw == word.text else word.start
    return Named("password", word.text[before:], start, word.end)


def _login(word: Word) -> Iterator[Named]:
    parts = _LOGIN.match(word.text)
    if parts and parts.end() < len(word.text):
        if _PLAIN.fullmatch(word.raw):
            word = Word(word.text, word.start + 1, word.end - 1, word.text)
        yield _inside(word, parts.end())


def _echoed(said: list[Word]) -> Iterator[Named]:
    if said[0].text in ("echo", "printf") and len(said) > 1:
        yield _whole(said[-1], "password")


_PROGRAMS = frozenset(LAST) | frozenset(
    program for table in (FLAGS, ATTACHED, LOGINS) for each in table.values() for program in each
)
