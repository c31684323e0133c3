"""Check the files, the database URL and the ports that the hub needs at its start."""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Iterator
from pathlib import Path

from greyhub import proxy
from greyhub.adapter import Finding
from greyhub.checks import cookie_secret
from greyhub.checks.files import directories, open_file, to_be_written
from greyhub.checks.platform import Platform
from greyhub.public_address import public_host, public_port
from greyhub.secret_texts import hidden

PACKAGES = {"psycopg2": "psycopg2-binary", "MySQLdb": "mysqlclient"}
"""Modules that have another name as a package."""


def check(platform: Platform) -> Iterator[Finding]:
    """Findings about what the hub would not find, or could not use."""
    yield from _database(platform)
    yield from cookie_secret.check(platform)
    yield from _certificate(platform)
    yield from directories(platform)
    yield from _ports(platform)


def _database(platform: Platform) -> Iterator[Finding]:
    """The database's URL, as SQLAlchemy reads it; nothing is connected."""
    path = platform.is_set("JupyterHub", "db_url")
    if not path:
        return
    url = str(platform.value("JupyterHub", "db_url"))
    url = url if "://" in url else f"sqlite:///{os.path.abspath(url)}"
    try:
        from sqlalchemy import create_engine

        engine = create_engine(url, **(platform.value("JupyterHub", "db_kwargs") or {}))
    except ModuleNotFoundError as error:
        package = PACKAGES.get(str(error.name), str(error.name))
        yield platform.finding(
            "error",
            path,
            f"this database needs the package {package}, which is not installed",
            f"pip install {package}",
        )
    except Exception as error:
        renamed = re.match(r"postgres(\+|:)", url)
        yield platform.finding(
            "error",
            path,
            f"SQLAlchemy refuses the URL: {hidden(' '.join(str(error).split()))}",
            "write postgresql:// or postgresql+psycopg2:// for its beginning"
            if renamed
            else "write it as docs.sqlalchemy.org says under Database URLs: "
            "dialect://user:password@host/name, sqlite:////path/to/file",
        )
    else:
        file = engine.url.database or ""
        if engine.url.get_backend_name() == "sqlite" and file not in ("", ":memory:"):
            yield from to_be_written(platform, path, Path(file), "the database")
        engine.dispose()


def _certificate(platform: Platform) -> Iterator[Finding]:
    """A pair of certificate and key that TLS does not take, and a key that is open to all."""
    path = platform.is_set("JupyterHub", "ssl_key")
    files = [platform.value("JupyterHub", option) for option in ("ssl_cert", "ssl_key")]
    if not path or not all(each and Path(each).is_file() for each in files):
        return
    certificate, key = files
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key, password=lambda: b"")
    except PermissionError as error:
        yield platform.finding(
            "error", path, f"no right to read {error.filename or key}", "chown it to the hub's user"
        )
    except (ssl.SSLError, OSError, ValueError) as error:
        said = getattr(error, "reason", None) or str(error)
        yield platform.finding(
            "error",
            path,
            f"TLS does not take {certificate} with {key}: {said}",
            "name the certificate and the key that belong together, both as PEM",
        )
    yield from open_file(platform, path, Path(key))


def _ports(platform: Platform) -> Iterator[Finding]:
    """The hub's own port, if the proxy is to listen there, too."""
    path = platform.is_set("JupyterHub", "port") or platform.is_set("JupyterHub", "bind_url")
    path = platform.is_set("JupyterHub", "hub_port") or path
    if not path or platform.is_set("JupyterHub", "hub_bind_url"):
        return
    if proxy.is_elsewhere(platform.config):
        return  # whose port is another machine's
    try:
        port = public_port(platform.config)
    except (TypeError, ValueError):
        return  # said with the value itself
    if port != platform.value("JupyterHub", "hub_port"):
        return
    hosts = {public_host(platform.config) or "", str(platform.value("JupyterHub", "hub_ip") or "")}
    everywhere = hosts & {"", "0.0.0.0", "::", "*"}  # noqa: S104
    if everywhere or len({"127.0.0.1" if each == "localhost" else each for each in hosts}) == 1:
        yield platform.finding(
            "error",
            path,
            f"the proxy and the hub itself would both listen on port {port}",
            "set c.JupyterHub.hub_port to another port, such as 8081"
            if port != 8081
            else "choose another c.JupyterHub.port: 8081 is the hub's own",
        )
