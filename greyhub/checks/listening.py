"""Check, where the hub is to run, the addresses at which it and its proxy will listen."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from greyhub import proxy
from greyhub.adapter import Finding
from greyhub.checks.platform import Platform
from greyhub.class_names import made_from
from greyhub.public_address import public_host, public_port

API = "http://127.0.0.1:8001"
"""The proxy's API, where nothing else is said."""

EVERYWHERE = ("", "*", "0.0.0.0", "::")  # noqa: S104


@dataclass(frozen=True)
class Listener:
    """What will listen somewhere, and the option that says where."""

    what: str
    address: tuple[str, str]
    """The option that says its address."""
    number: tuple[str, str]
    """The option that says its port."""
    host: str
    port: int
    another: str
    """How another port is chosen."""

    @property
    def where(self) -> str:
        """The place, for people."""
        return f"port {self.port} of {self.host or 'every address'}"


def check(platform: Platform) -> Iterator[Finding]:
    """Findings about each address: this machine has it, and its port is free."""
    taken = []
    for listener in _listeners(platform):
        number, said = _refusal(listener.host, listener.port)
        path = platform.is_set(*listener.address) or listener.address
        if not number and not said:
            yield Finding("ok", f"{listener.where} is free for {listener.what}")
        elif number == errno.EADDRINUSE:
            taken.append(listener)
        elif number in (errno.EACCES, errno.EPERM):
            yield platform.finding(
                "error",
                path,
                f"{listener.what} may not listen at {listener.where}: {said}",
                f"let root start the hub, or {listener.another}",
            )
        else:
            yield platform.finding(
                "error",
                path,
                f"{listener.what} cannot listen at {listener.where}: {said}",
                "name an address that this machine has ('ip address' lists them), or every one, "
                "'0.0.0.0'; where servers shall reach the hub is c.JupyterHub.hub_connect_ip"
                if listener.what == "the hub"
                else "name an address that this machine has ('ip address' lists them)",
            )
    yield from _taken(platform, taken)


def _taken(platform: Platform, taken: list[Listener]) -> Iterator[Finding]:
    """Ports at which something listens: this hub itself, or a program in its way."""
    # Where the proxy of a hub runs, the hub runs, or goes on with it.
    runs = any(each.what == "the proxy" for each in taken) or proxy.is_elsewhere(platform.config)
    for listener in taken:
        if runs:
            yield Finding(
                "note",
                f"something listens on {listener.where}",
                f"if it is not this hub, end it, or {listener.another}",
            )
        else:
            yield platform.finding(
                "error",
                platform.is_set(*listener.number) or listener.number,
                f"{listener.what} cannot listen at {listener.where}: another program does",
                f"end it, or {listener.another}",
            )


def _listeners(platform: Platform) -> Iterator[Listener]:
    here = not proxy.is_elsewhere(platform.config)
    if here:
        url = ("JupyterHub", "bind_url") if platform.is_set("JupyterHub", "bind_url") else None
        yield Listener(
            "the proxy",
            url or ("JupyterHub", "ip"),
            url or ("JupyterHub", "port"),
            public_host(platform.config) or "",
            public_port(platform.config),
            "choose another c.JupyterHub.port",
        )
    yield from _hub(platform)
    api = str(platform.value("ConfigurableHTTPProxy", "api_url") or API)
    if here and made_from(platform.proxy, "ConfigurableHTTPProxy") and (found := _place(api)):
        option = ("ConfigurableHTTPProxy", "api_url")
        another = f'set c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{found[1] + 1}"'
        yield Listener("the proxy's API", option, option, *found, another)


def _hub(platform: Platform) -> Iterator[Listener]:
    url = str(platform.value("JupyterHub", "hub_bind_url") or "")
    if url:
        option = ("JupyterHub", "hub_bind_url")
        if found := _place(url):
            another = "choose another port in c.JupyterHub.hub_bind_url"
            yield Listener("the hub", option, option, *found, another)
        return
    address, number = ("JupyterHub", "hub_ip"), ("JupyterHub", "hub_port")
    host = str(platform.value(*address) or "").strip("[]")
    port = int(platform.value(*number) or 0)
    yield Listener("the hub", address, number, host, port, "choose another c.JupyterHub.hub_port")


def _place(url: str) -> tuple[str, int] | None:
    """The host and port of a URL; None of a socket that is a file."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.port:
        return None
    return parts.hostname or "", parts.port


def _refusal(host: str, port: int) -> tuple[int, str]:
    """Why no program can listen there, by number and in words; 0 and nothing if one can."""
    plain = "" if host in EVERYWHERE else host
    try:
        found = socket.getaddrinfo(plain or "0.0.0.0", port, type=socket.SOCK_STREAM)  # noqa: S104
    except OSError:
        return -1, f"no address is known for {host!r}"
    family, kind, _, _, address = found[0]
    with socket.socket(family, kind) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL:
                return error.errno, "this machine has no such address"
            return error.errno or -1, str(error.strerror)
    return 0, ""
