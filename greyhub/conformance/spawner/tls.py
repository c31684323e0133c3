"""SPAWNER-053 and 054: TLS between the hub and its servers (internal_ssl)."""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from urllib.parse import urlsplit

from greyhub.conformance.contract import MUST, clause
from greyhub.conformance.spawner.case import SpawnerCase
from greyhub.conformance.testkit.hub import Hub


def secure_hub(case: SpawnerCase) -> Hub:
    """A hub with internal_ssl."""
    return case.hub(internal_ssl=True, internal_certs_location=str(case.directory / "certificates"))


@clause(
    "SPAWNER-053",
    MUST,
    needs="internal_ssl",
    hooks="alive environment",
    guards="secrets",
    budget=30,
)
def servers_speak_tls(case: SpawnerCase) -> None:
    """The server speaks TLS with the given certificate and requires one of its client.

    The key is its owner's alone, and each server has files of its own: a second
    server of the user leaves those of the first as they were.

    Seen: create_certs() names the pair by the user alone (spawner.py:1560)
    Seen: sudospawner#73 https://github.com/jupyterhub/sudospawner/issues/73
    """
    hub = secure_hub(case)
    server = case.started(hub, case.user)
    parts = urlsplit(server.url)
    case.require(parts.scheme == "https", f"the address is {server.url}, not https")
    bare = ssl._create_unverified_context()  # noqa: S323 - what is tested is the other side
    case.require(
        not _answers(parts.hostname or "", parts.port or 0, bare),
        "the server answers a client without a certificate",
    )
    key = Path(server.environment()["JUPYTERHUB_SSL_KEYFILE"])
    if key.exists():
        mode = os.stat(key).st_mode & 0o777
        case.require(not mode & 0o077, f"the key {key.name} can be read by others: {mode:o}")
    before = key.read_bytes() if key.exists() else b""

    def untouched() -> bool:
        return not before or (key.exists() and key.read_bytes() == before)

    case.started(hub, case.user + "b")
    case.require(
        untouched(),
        "the start of another user's server replaced the key",
    )
    state = str(server.do("get_state"))
    case.require("PRIVATE KEY" not in state, "get_state() holds the server's key")
    if case.claims("named_servers"):
        other = case.started(hub, case.user, "two")
        path = Path(other.environment()["JUPYTERHUB_SSL_KEYFILE"])
        # On other machines than this one, one path names many files.
        case.require(path != key or not key.exists(), "two servers of one user have one key file")
        case.require(
            untouched(),
            "the second server's start replaced the first server's key",
        )


def _answers(host: str, port: int, context: ssl.SSLContext) -> bool:
    import socket

    try:
        with (
            socket.create_connection((host, port), timeout=3) as plain,
            context.wrap_socket(plain, server_hostname=host) as secure,
        ):
            # With TLS 1.3 a client learns that it was refused when it reads.
            secure.sendall(b"GET / HTTP/1.0\r\n\r\n")
            return bool(secure.recv(1))
    except OSError:
        return False


@clause("SPAWNER-054", MUST, hooks="alive", guards="secrets", budget=30)
def tls_is_never_dropped(case: SpawnerCase) -> None:
    """With internal_ssl configured, a server speaks TLS or is refused: never plain http.

    Where the capability is declined, the start must fail with an error that says
    why, and leave nothing.
    """
    hub = secure_hub(case)
    server = case.server(hub)
    error = server.outcome()
    if error is None:
        url = server.url
        running = case.answer("start").value
        plain = isinstance(running, str) and running.startswith("http://")
        case.require(
            url.startswith("https:") and not plain, f"the server was started at {running}, in clear"
        )
        case.require(case.claims("internal_ssl"), "internal_ssl is declined, and was not refused")
        return
    case.require(
        not case.claims("internal_ssl"), f"internal_ssl is claimed, and the start failed: {error!r}"
    )
    text = f"{error} {getattr(error, 'jupyterhub_message', '')} {getattr(error, 'reason', '')}"
    named = any(word in text.lower() for word in ("ssl", "tls", "certificate"))
    case.require(named, f"the refusal does not say that it is about internal_ssl: {error!r}")
    case.require(not case.alive(), "the start was refused, but a server is there")
