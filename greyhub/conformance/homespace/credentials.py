"""HOME-035, 037: credentials are not shown; expired ones can be renewed."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import quote

from greyhub.conformance.contract import MUST, clause
from greyhub.conformance.homespace.case import Home, HomespaceCase
from greyhub.conformance.testkit.log_capture import LogCapture, as_shown


@clause("HOME-035", MUST, needs="credentials", hooks="secrets", guards="secrets")
def no_credential_is_shown(case: HomespaceCase) -> None:
    """No credential is in a repr, an error, what is told of a file, a log or safe JSON.

    That is ``to_json(include_password=False)``; and an error is told with its causes.

    A pickle should carry a reference to the secret, not the secret.
    """
    home = case.home()
    secrets = list(case.suite.secrets(case.user()))
    case.require(all(secrets), "the suite has named no secret")
    log = case.enter(LogCapture())
    home.pipe_file("file", b"1")
    shown = dict(_shown(home))
    shown["a line of the log"] = "\n".join(str(line) for line in log.lines)
    for what, text in shown.items():
        case.require(not _holds(text, secrets), f"{what} holds the secret")
    with suppress(Exception):  # whether it can be pickled is HOME-042's matter
        pickled = pickle.dumps(home.fs)
        case.advise(not _holds(repr(pickled), secrets), "its pickle holds the secret")


def _shown(home: Home) -> Iterator[tuple[str, str]]:
    yield "repr()", repr(home.fs)
    yield "str()", str(home.fs)
    if hasattr(home.fs, "_repr_html_"):
        yield "its HTML", str(home.fs._repr_html_())
    yield "to_json", str(home.to_json(include_password=False))
    yield "to_dict", str(home.to_dict(include_password=False))
    with home.open("file", "rb") as file:
        yield "the repr of an open file", repr(file.file)
    with home.open("written", "wb") as file:
        yield "the repr of a file that is written", repr(file.file)
    yield "info()", str(home.info("file"))
    yield "ls()", str(home.ls("", detail=True))
    for call, path in ((home.cat_file, "gone"), (home.rm_file, "gone"), (home.ls, "../../gone")):
        try:
            call(path)
        except Exception as error:
            yield f"the error of {call.__name__}({path!r})", as_shown(error)
    suite = home.case.suite
    if suite.has("expire") and suite.has("renew"):
        suite.expire(home.case.user())
        try:
            home.cat_file("file")
        except Exception as error:
            yield "the error of an expired credential", as_shown(error)
        finally:
            suite.renew(home.case.user())


def _holds(text: str, secrets: list[str]) -> bool:
    return any(secret in text or quote(secret, safe="") in text for secret in secrets)


@clause("HOME-037", MUST, needs="credentials", hooks="raw expire renew", guards="data", budget=20)
def expired_credentials(case: HomespaceCase) -> None:
    """Expired credentials are a PermissionError; renewed ones are used without a new process.

    A client made after the renewal must work; the one that was open should.

    Seen: s3fs#490 https://github.com/fsspec/s3fs/issues/490
    """
    home, backend = case.home(), case.backend()
    home.pipe_file("folder/file", b"content")
    case.did("the credentials expire")
    user = case.user()
    case.hook("expire", user)
    case.finally_(case.suite.renew, user)
    for call, *args in (
        (home.cat_file, "folder/file"),
        (home.info, "folder/file"),
        (home.ls, "folder"),
        (home.pipe_file, "folder/new", b"1"),
        (home.rm_file, "folder/file"),
    ):
        case.raises(PermissionError, call, *args)
    try:
        there = home.exists("folder/file")
    except OSError:
        there = True
    case.advise(there, "exists() tells a file to be gone that it may not look at")
    case.did("they are renewed")
    case.hook("renew", user)
    case.require(backend.get("folder/file") == b"content", "the file is not what it was")
    again = case.home()
    case.require(again.cat_file("folder/file") == b"content", "a new client does not read it")
    again.pipe_file("folder/file", b"renewed")
    try:
        read = home.cat_file("folder/file")
    except OSError:
        read = None
    case.advise(read == b"renewed", "the client that was open does not use the new credentials")
