"""Judge an address: its protocol, host or bucket, port, slashes and spaces.

Every option that takes an address is judged here, so that each says the same of the
same mistake.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Mapping
from typing import Final

from traitlets import TraitError

from greyhub.secret_texts import hidden
from greyhub.wording import did_you_mean

WEB: Final = ("http", "https")
"""Protocols of web servers."""

SAFE: Final = ("https", "http")
"""The same, where the first is the one to take."""

DIRECTORIES: Final = ("file", "local")
"""Protocols of URLs that are directories already."""

_HOSTS: Final = (*WEB, "sftp", "ssh", "ftp", "webdav", "dav", "smb", "gateway", "tls", "tcp")

_PLACES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("s3", "s3a", "gs", "gcs", "oss", "oci"), "bucket"),
    **dict.fromkeys(("abfs", "abfss", "az", "adl"), "container"),
    **dict.fromkeys(_HOSTS, "host"),
}
"""What a protocol needs between its two slashes and the next one."""

_PART: Final = re.compile(r"::(?=[a-z][a-z0-9+.-]*(?:::|://))", re.IGNORECASE)
"""What stands between the parts of a chain, ``simplecache::s3://…``; not in ``[::1]``."""

_URL: Final = re.compile(r"([a-z][a-z0-9+.-]*)://([^/?#]*)(.*)", re.IGNORECASE | re.DOTALL)
_SLIP: Final = re.compile(
    r"([a-z][a-z0-9+.-]*)(:/|//|;//?|:?\\\\?|:\s+//)(?![/\\])(.+)", re.IGNORECASE
)
_LOGIN: Final = re.compile(r"([^/\\]*[/\\]+)(.*:.*@)")
_AUTHORITY: Final = re.compile(r"(?:.*@)?(\[[^][]*\]|[^][:]*)(?::(.*))?", re.DOTALL)
_LABEL: Final = r"[\w{}](?:[\w{}-]*[\w{}])?"
_NAME: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?")
_FEW: Final = 10


class WrongAddress(TraitError, ValueError):
    """A text that is no address, and what to write instead."""

    def __init__(self, what: str, fix: str = "") -> None:
        self.what, self.fix = what, fix
        super().__init__(what)


def is_meant_as_address(text: str) -> bool:
    """Whether a text is an address, or one with a slip in it."""
    found = _SLIP.match(text.strip())
    return "://" in text or bool(found and found[1].lower() in _known())


def check_address(text: str, protocols: Collection[str] = (), *, host: bool = True) -> None:
    """Raise `WrongAddress` for what is no address.

    Parameters
    ----------
    text : str
        What was written.
    protocols : collection of str
        Those that may be. By default, what a package here brings for files, one behind
        another, too.
    host : bool
        Whether a host must be named. Of what something listens on, it need not.
    """
    known = protocols or _known()
    _check_spelling(text, known)
    for part in [text] if protocols else _PART.split(text):
        found = _URL.fullmatch(part)
        protocol = (found[1] if found else part).lower()
        if protocol not in known:
            raise _unknown(protocol, text, known)
        if found:
            _check_place(protocol, found[2], found[3].lstrip("/"), text, host)


def _check_spelling(text: str, known: Collection[str]) -> None:
    """Spaces, and what stands between the protocol and the rest."""
    told = _told(text)
    if text != text.strip():
        where = "before" if text != text.lstrip() else "behind"
        raise WrongAddress(f"{told!r} has a space {where} it", f"write {told.strip()!r}")
    slip = _SLIP.fullmatch(text)
    if slip and slip[1].lower() in known:
        slashes = ":///" if slip[1].lower() in DIRECTORIES else "://"
        right = _told(f"{slip[1]}{slashes}{slip[3].lstrip()}".replace("\\", "/"))
        raise WrongAddress(f"{told!r} has {slip[2]!r} where '://' belongs", f"write {right!r}")
    found = _URL.fullmatch(text)
    if found is None and not _PART.search(text):
        raise WrongAddress(
            f"{told!r} is no URL: it begins with no protocol",
            f"write '{next(iter(known))}://{told.lstrip('/')}'"
            if len(known) < _FEW
            else "begin it with one, as in https://HOST/ or s3://BUCKET/",
        )
    if re.search(r"\s", found[2] if found else "") or re.search(r"[\n\r\t]", text):
        raise WrongAddress(f"{told!r} has a space in it", "leave it out")


def _check_place(protocol: str, place: str, path: str, text: str, host: bool) -> None:
    """What stands between the slashes: a bucket, a host with its port, or nothing."""
    told = _told(text)
    if protocol in DIRECTORIES and place:
        right = path if place in ("localhost", ".") else f"{place}/{path}"
        raise WrongAddress(
            f"{told!r} has a host, and a directory is asked for",
            f"write three slashes: '{protocol}:///{right}'",
        )
    kind = _PLACES.get(protocol, "")
    if kind and host and not place:
        right = re.sub(rf"(?<={protocol}://)/*", f"{kind.upper()}/", told, flags=re.IGNORECASE)
        raise WrongAddress(f"{told!r} names no {kind}", f"write {right!r}")
    if kind == "host" and place:
        _check_host(place, told, host)


def _check_host(place: str, told: str, needed: bool) -> None:
    found = _AUTHORITY.fullmatch(place)
    name, port = found.groups() if found else (place.rpartition("@")[2], None)
    if not name and needed:
        raise WrongAddress(f"{told!r} names no host", "write its name before the port")
    if not (found and (_is_host(name) or (not needed and name in ("", "*")))):
        raise WrongAddress(
            f"{told!r} names {name!r}, which is no host",
            "fix the name; an address of IPv6 has brackets: http://[::1]:8000/",
        )
    if port and not (port.isdecimal() and 0 < int(port) < 2**16):
        # What looks like a port may be a password with a slash in it.
        said = "a port that is none, or a login that must be encoded"
        raise WrongAddress(
            f"{told!r} has " + (said if "***" in told else f"{port!r} for a port, which is none"),
            "write a number from 1 to 65535, or leave the port out",
        )


def _is_host(name: str) -> bool:
    """A name, or a number that is an address."""
    if name.startswith("[") or re.fullmatch(r"[\d.]+", name):
        try:
            ipaddress.ip_address(name.strip("[]").partition("%")[0])
        except ValueError:
            return False
        return True
    return bool(_NAME.fullmatch(name))


def _unknown(protocol: str, text: str, known: Collection[str]) -> WrongAddress:
    guess = did_you_mean(protocol, known)
    near = re.search("'(.*)'", guess)
    write = f"write {_told(text.replace(protocol, near[1], 1))!r}" if near else ""
    if len(known) < _FEW:
        names = " or ".join(f"{each}://" for each in known)
        return WrongAddress(
            f"{_told(text)!r} does not begin with {names}", write or f"begin it with {names}"
        )
    return WrongAddress(
        f"no package here knows the protocol {protocol!r}{guess}",
        write or "fix it, or install the package that brings it",
    )


def _told(text: str) -> str:
    """The address for people, without a login that is in it, however it is written."""
    return hidden(_LOGIN.sub(r"\1********@", text, count=1))


def _known() -> Collection[str]:
    """The protocols of fsspec, by name and by class, and the other name of one."""
    from fsspec.registry import available_protocols, registry

    return {*available_protocols(), *registry, "dav"}
