"""Probe an HTTP endpoint: does it answer, and does its clock agree with this machine's?"""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit

from greyhub.adapter import Finding

PATIENCE: Final = 10.0
"""Seconds that a connection and an answer may each take."""

UNEASY: Final = 30.0
"""Seconds that two clocks may differ before it is said."""

REFUSED: Final = 240.0
"""Seconds of difference at which signed requests and tokens begin to be refused."""


class Unreachable(Exception):
    """There was no answer; the message says why, without what the address holds of secrets."""


@dataclass(frozen=True)
class Reply:
    """What a backend answered."""

    status: int
    text: str
    difference: float | None
    """Seconds by which its clock is ahead of this machine's, if it tells its time."""


async def ask(
    url: str,
    *,
    method: str = "GET",
    body: str | None = None,
    headers: Mapping[str, str] | None = None,
    ca_certs: str | None = None,
) -> Reply:
    """One request; any status is an answer. ``ca_certs`` is a file of certificates to trust.

    Raises
    ------
    Unreachable
        No connection, no trust in its certificate, or no answer in time.
    """
    from tornado.httpclient import AsyncHTTPClient, HTTPClientError
    from tornado.simple_httpclient import HTTPStreamClosedError, HTTPTimeoutError

    parts = urlsplit(url)
    host = f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}"
    try:
        answer = await AsyncHTTPClient(force_instance=True).fetch(
            url,
            method=method,
            body=body,
            headers=dict(headers or {}),
            raise_error=False,
            follow_redirects=False,
            connect_timeout=PATIENCE,
            request_timeout=PATIENCE,
            ca_certs=ca_certs,
        )
        if isinstance(answer.error, HTTPTimeoutError | HTTPStreamClosedError):
            raise answer.error
    except ssl.SSLCertVerificationError as error:
        raise Unreachable(
            f"{host}: its certificate is not trusted: {error.verify_message}"
        ) from None
    except HTTPTimeoutError:
        raise Unreachable(f"{host} did not answer within {PATIENCE:g} s") from None
    except (HTTPClientError, OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise Unreachable(f"{host} cannot be reached: {reason}") from None
    text = (answer.body or b"").decode(errors="replace")
    return Reply(answer.code, text, _difference(answer.headers.get("Date")))


def _difference(date: str | None) -> float | None:
    try:
        told = parsedate_to_datetime(date or "")
    except (TypeError, ValueError):
        return None
    return (told - datetime.now(UTC)).total_seconds()


def clock(reply: Reply, whose: str) -> Iterator[Finding]:
    """A finding if a backend's clock and this machine's differ by too much."""
    if reply.difference is None or abs(reply.difference) < UNEASY:
        return
    ahead = "ahead of" if reply.difference > 0 else "behind"
    bad = abs(reply.difference) >= REFUSED
    yield Finding(
        "error" if bad else "warning",
        f"the clock of {whose} is {abs(reply.difference):.0f} s {ahead} this machine's: "
        + ("signed requests and tokens will be refused" if bad else "tokens may be refused"),
        "let this machine keep its time, with chrony or systemd-timesyncd: timedatectl",
    )
