"""JupyterHub's application without signals, files and logging of its own."""

from __future__ import annotations

import atexit
import logging
import shutil
import sqlite3
import tempfile
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

from jupyterhub import orm
from jupyterhub.proxy import Proxy
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.orm import sessionmaker
from traitlets.config import Config

from greyhub.conformance.testkit.lazy_import import lazy_import

# JupyterHub's events bring jsonschema, which brings parsers of IRIs that take seconds to make.
with lazy_import("rfc3987_syntax", "is_valid_syntax"):
    from jupyterhub.app import JupyterHub


class RouteTable(Proxy):  # type: ignore[misc]
    """A proxy that only remembers: clauses talk to the hub and the servers directly."""

    should_start = False

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.routes: dict[str, dict[str, Any]] = {}

    async def add_route(self, routespec: str, target: str, data: dict[str, Any]) -> None:
        """Remember a route."""
        self.routes[routespec] = {"routespec": routespec, "target": target, "data": data}

    async def delete_route(self, routespec: str) -> None:
        """Forget a route."""
        self.routes.pop(routespec, None)

    async def get_all_routes(self) -> dict[str, dict[str, Any]]:
        """The routes."""
        return dict(self.routes)


class App(JupyterHub):  # type: ignore[misc]
    """JupyterHub without what belongs to its process: signals, files, logging, its help."""

    # Only for the options' help: it would import every adapter that is installed.
    classes: ClassVar[list[type]] = []

    def init_signal(self) -> None:
        """Nothing: the signals are the suite's."""

    def load_config_file(self, *args: Any, **kwargs: Any) -> None:
        """Nothing: the configuration is given."""

    def init_logging(self) -> None:
        """Nothing: the suite listens."""

    def init_pycurl(self) -> None:
        """Nothing: it is global."""

    def _configure_logging(self, *args: Any) -> None:
        """Nothing: it is global."""

    def init_db(self) -> None:
        """Open the database, which is a copy of one that JupyterHub has made."""
        engine = _engine(self.db_url)
        self.session_factory = sessionmaker(bind=engine, expire_on_commit=False)
        self.db = self.session_factory()


_first: list[Engine] = []


def _engine(url: str) -> Engine:
    """An engine that does not compile again what another has: most of a hub's start is that."""
    engine = create_engine(url, connect_args={"check_same_thread": False})
    orm.register_foreign_keys(engine)
    event.listen(engine, "connect", _unsynced)
    if _first:
        engine.dialect = _first[0].dialect
        engine._compiled_cache = _first[0]._compiled_cache
    else:
        engine.connect().close()
        _first.append(engine)
    return engine


def _unsynced(connection: sqlite3.Connection, record: object) -> None:
    """A hub's crash is not the machine's: what is written need not reach the disk."""
    connection.execute("PRAGMA synchronous = OFF")


@cache
def empty_database() -> Path:
    """A database with the tables and nobody in it: making one takes longer than a copy."""
    folder = tempfile.mkdtemp(prefix="greyhub-conformance-db-")
    path = Path(folder) / "empty.sqlite"
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    # Alembic's own configuration of the logging talks to the terminal, and replaces ours.
    logging.disable()
    try:
        app = App(config=Config({"JupyterHub": {"db_url": f"sqlite:///{path}"}}))
        JupyterHub.init_db(app)
        app.db.close()
        app.db.connection().engine.dispose()
    finally:
        logging.disable(logging.NOTSET)
        root.handlers[:] = handlers
        root.setLevel(level)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return path
