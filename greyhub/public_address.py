"""The hub's public address, as configured."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlparse

from traitlets.config import Config


def public_host(config: Config) -> str | None:
    """The host that the proxy listens on: None if unsaid, ``""`` for every address."""
    section = config.get("JupyterHub", {})
    if "ip" in section:
        ip = str(section["ip"]).strip()
        return (ip.partition(":")[0] if ip.count(":") == 1 else ip).strip("[]")
    if "bind_url" in section:
        parsed = urlparse(_spelt(str(section["bind_url"])))
        return "127.0.0.1" if parsed.scheme.endswith("+unix") else parsed.hostname or ""
    return None


def _spelt(url: str) -> str:
    """A URL as it was meant: a slip in it is said elsewhere, and once."""
    url = url.strip()
    return url if "://" in url else "http://" + re.sub(r"^(\w+:)?/+", "", url)


def public_base(config: Config) -> str:
    """The hub's public URL with its base URL, without a slash at its end; empty if unsaid.

    As JupyterHub has it: a public URL without a path gains the base URL, and one without a
    protocol is of https.
    """
    section = config.get("JupyterHub", {})
    url = with_protocol(str(section.get("public_url") or "").rstrip("/"))
    base = str(section.get("base_url") or "").strip("/")
    return f"{url}/{base}" if url and base and not urlparse(url).path else url


def with_protocol(url: str) -> str:
    """A public URL as JupyterHub has it, which takes one without a protocol for one of https."""
    return f"https://{url}" if url and "://" not in url else url


def public_port(config: Config) -> int:
    """The port that the proxy listens on."""
    section = config.get("JupyterHub", {})
    if "port" in section:
        return int(section["port"])
    return urlparse(_spelt(str(section.get("bind_url", "")))).port or 8000


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address; a name is not trusted, but localhost."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
