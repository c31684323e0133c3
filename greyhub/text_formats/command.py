"""Commands: what follows a flag, where the flag's name or the program makes clear what it is."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import Final, NamedTuple

from greyhub.text_formats import Named

_WORD = re.compile(
    r"""(?x) (?: [^\s'"\\;&|<>()`$] | '[^']*' | "(?:[^"\\]|\\.)*" | \\.
      | \$\( (?:[^()] | \([^()]*\))* \) | \$ | ` [^`]* ` )+ | [;&|\n()]+ | [<>'"\\`]""",
    re.DOTALL,
)
_PLAIN = re.compile(r"""(?s)(['"])(?:(?!\1)[^\\])*\1""")
_FLAG = re.compile(r"--?[A-Za-z][\w.-]*")
_SHORT = re.compile(r"(-[A-Za-z]|/p:)(.*)", re.DOTALL)

FLAGS: Final[dict[str, tuple[str, ...]]] = {
    "-p": (
        "sshpass",
        "docker",
        "podman",
        "buildah",
        "skopeo",
        "nerdctl",
        "helm",
        "oc",
        "az",
        "twine",
        "mongo",
    ),
    "-a": ("redis-cli", "valkey-cli"),
    "-w": ("ldapsearch", "ldapadd", "ldapmodify", "ldapwhoami", "ldapdelete", "ldapcompare"),
    "-P": ("sqlcmd", "bcp", "tsql", "mosquitto_pub", "mosquitto_sub", "zip", "unzip"),
    "-N": ("ssh-keygen",),
    "-k": ("openssl",),
}
"""Short flags whose next word is a secret, in these programs alone."""

LOGIN_FIRST: Final = ("docker", "podman", "buildah", "skopeo", "nerdctl", "helm", "oc", "az")
"""Programs in which ``-p`` is a password after the word ``login`` alone: before, it is a port."""

ATTACHED: Final[dict[str, tuple[str, ...]]] = {
    "-p": (
        "mysql",
        "mysqldump",
        "mysqladmin",
        "mysqlimport",
        "mysqlcheck",
        "mariadb",
        "mariadb-dump",
        "mariadb-admin",
        "7z",
        "7za",
        "7zz",
        "sshpass",
        "mongo",
        "mongosh",
        "mongodump",
        "mongorestore",
    ),
    "-P": ("sqlcmd", "bcp"),
    "/p:": ("xfreerdp", "xfreerdp3", "wlfreerdp", "sdl-freerdp"),
    "-a": ("redis-cli", "valkey-cli"),
    "-w": ("ldapsearch", "ldapadd", "ldapmodify", "ldapwhoami"),
}
"""Short flags whose own rest is a secret."""

LOGINS: Final[dict[str, tuple[str, ...]]] = {
    "-u": ("curl", "lftp"),
    "--user": ("curl",),
    "-U": ("curl", "smbclient", "rpcclient"),
    "--proxy-user": ("curl",),
    "-a": ("http", "https", "xh"),
    "--auth": ("http", "https", "xh"),
    "--creds": ("skopeo", "podman", "buildah"),
    "--src-creds": ("skopeo",),
    "--dest-creds": ("skopeo",),
}
"""Flags whose next word is a name and a password, parted by a colon, a comma or a percent sign."""

LAST: Final[dict[str, tuple[str, ...]]] = {
    "htpasswd": ("-b", "-bc", "-cb", "-bB", "-Bb", "-nb", "-nbB"),
    "rabbitmqctl": ("add_user", "change_password", "authenticate_user"),
    "vault": ("login",),
    "wpa_passphrase": ("",),
    "mc": ("set",),
}
"""Programs that take a secret as their last word, with one of these words before it."""

FROM_INPUT: Final = (
    "--password-stdin",
    "--with-token",
    "--stdin",
    "--passphrase-fd",
    "-S",
    "chpasswd",
)


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
        after = said[place + 1] if place + 1 < len(said) else None
        short = _SHORT.fullmatch(word.text)
        flag = word.text.partition("=")[0]
        if program in LOGINS.get(flag, ()):
            yield from _login(word if "=" in word.text else after)
        elif program == "curl" and flag[:2] in ("-u", "-U") and len(flag) > 2 and flag[1] != "-":
            yield from _login(word)
        elif short and short[2] and program in ATTACHED.get(short[1], ()):
            yield _inside(word, "password", len(short[1]))
        elif (
            after and program in FLAGS.get(word.text, ()) and (login or program not in LOGIN_FIRST)
        ):
            yield _whole(after, "password")
        elif after and _FLAG.fullmatch(word.text) and not after.text.startswith("-"):
            yield _whole(after, f"flag {word.text.lstrip('-')}")
        elif (
            after
            and place
            and said[place - 1].text == "set"
            and re.fullmatch(r"[\w./:-]+", word.text)
        ):
            yield _whole(after, f"flag {word.text}")  # aws configure set, npm config set
        elif (
            after is None
            and place > 1
            and {each.text for each in said} & set(LAST.get(program, ()))
        ):
            yield _whole(word, "password")
        if _PLAIN.fullmatch(word.raw) and re.search(r"\s", word.text):
            yield _whole(word, "")


def _whole(word: Word, name: str) -> Named:
    if _PLAIN.fullmatch(word.raw):
        return Named(name, word.text, word.start + 1, word.end - 1)
    return Named(
        name, word.text, word.start, word.end, None if word.raw == word.text else shlex.quote
    )


def _inside(word: Word, name: str, before: int) -> Named:
    if word.raw == word.text:
        return Named(name, word.text[before:], word.start + before, word.end)
    head = word.text[:before]
    return Named(
        name, word.text[before:], word.start, word.end, lambda text: shlex.quote(head + text)
    )


def _login(word: Word | None) -> Iterator[Named]:
    parts = re.match(r"(?s)(?:-{1,2}[\w-]+=|-[uU])?[^:,%]+[:,%]", word.text) if word else None
    if word and parts and parts.end() < len(word.text):
        if _PLAIN.fullmatch(word.raw):
            word = Word(word.text, word.start + 1, word.end - 1, word.text)
        yield _inside(word, "password", parts.end())


def _echoed(said: list[Word]) -> Iterator[Named]:
    if said[0].text in ("echo", "printf") and len(said) > 1:
        yield _whole(said[-1], "password")


_PROGRAMS = frozenset(LAST) | frozenset(
    program for table in (FLAGS, ATTACHED, LOGINS) for each in table.values() for program in each
)
