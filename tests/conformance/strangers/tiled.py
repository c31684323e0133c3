"""Tiled's client as a catalogue, with its own server behind it."""

import io
import socket
import threading
import time
from contextlib import contextmanager
from urllib.parse import unquote

from greyhub.conformance import DataSuite

KEY = "tiledkeyofthesuite"


class Tiled(DataSuite):
    """Tiled's client, of tables that its server holds."""

    adapter = "tiled.client:from_uri"
    mode = "real"
    endpoint = "make.uri"
    parts = ("tiled", "pandas")
    claims = {"remote"}
    declines = {
        "acl": "is for whoever writes the server's access policy",
        "credentials": "what the server opens is opened by the server",
        "dask": "its client of Dask needs pyarrow",
        "documents": "its catalogue is a database",
        "export": "it exports data, not catalogues",
        "nested": "what is nested is walked, not listed",
        "parameters": "it has none",
    }

    def prepare(self):
        import uvicorn
        from tiled.adapters.mapping import MapAdapter
        from tiled.config import Authentication
        from tiled.server.app import build_app

        self.tree = MapAdapter({})
        allowed = {"single_user_api_key": KEY, "allow_anonymous_access": True}
        app = build_app(self.tree, authentication=Authentication(**allowed))
        listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}/api/v1"
        self.server = uvicorn.Server(uvicorn.Config(app, log_level="critical"))
        self.thread = threading.Thread(
            target=self.server.run, kwargs={"sockets": [listener]}, daemon=True
        )
        self.thread.start()
        while self.thread.is_alive() and not self.server.started:
            time.sleep(0.02)
        self.datasets = {}

    def cleanup(self):
        self.server.should_exit = True
        self.thread.join()

    def config(self):
        return {"make": {"uri": self.url, "api_key": KEY}}

    def publish(self, datasets):
        self.datasets = dict(datasets)
        self.tree._mapping = {name: self.table(each) for name, each in datasets.items()}

    def table(self, each):
        import pandas
        from tiled.adapters.table import TableAdapter

        content = next(iter(each.files.values()))
        if each.kind == "lines":
            frame = pandas.DataFrame({"line": content.decode().splitlines()})
        else:
            frame = pandas.read_csv(io.BytesIO(content))
        metadata = {**each.metadata, "description": each.description}
        return TableAdapter.from_pandas(frame, npartitions=1, metadata=metadata)

    def content(self):
        return {
            name: (table.metadata(), table.read().to_csv())
            for name, table in self.tree._mapping.items()
        }

    def touched(self):
        asked = [unquote(r.path) for r in self.proxy.requests if "/table/" in r.path]
        return {
            path
            for name, each in self.datasets.items()
            for path in each.files
            if any(f"/{name}?" in each or each.endswith(f"/{name}") for each in asked)
        }

    @contextmanager
    def damage(self, path, how):
        name = next(name for name, each in self.datasets.items() if path in each.files)
        # A server whose data are gone knows the name, and fails.
        kind = {"forbidden": "rejected", "missing": "error"}.get(how, how)
        chosen = lambda r: "/table/" in r.path and f"/{name}" in unquote(r.path)  # noqa: E731
        with self.proxy.fault(kind, matches=chosen):
            yield

    @staticmethod
    def describe(catalog, name):
        found = catalog[name]
        metadata = dict(found.metadata)
        return {
            "name": name,
            "description": metadata.get("description", ""),
            "container": str(found.structure_family),
            "metadata": metadata,
            "parameters": [],
        }

    @staticmethod
    def reload(catalog):
        """Nothing: it asks the server each time."""

    @staticmethod
    def read(dataset):
        found = dataset.read()
        return list(found["line"]) if list(found.columns) == ["line"] else found
