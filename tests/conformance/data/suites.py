"""The author's files of catalogues that keep the contract."""

import json
import os
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path
from unittest.mock import patch

from examples.data import suite as written
from examples.data.toydata import ToyCatalog
from examples.data.toydata.service import Service
from greyhub.conformance.data import SECRET, DataSuite, OnDisk, Served
from greyhub.conformance.data.intake_files import put
from greyhub.conformance.testkit.faults import FaultProxy
from tests.data.azureml.workspace import AssetHub, workspace_in
from tests.homespace.azureml.account import account_in, nothing_held
from tests.homespace.filesystem.conftest import ACCOUNT

READ_ONLY = {
    "acl": "the files' modes say who may read them",
    "export": "a catalogue is a file that people have already",
}


class Local(OnDisk, DataSuite):
    """greyhub's own, of documents on a disk."""

    adapter = "greyhub.data.local:LocalData"
    mode = "real"
    claims = {"credentials", "dask", "documents", "nested", "parameters"}
    declines = {**READ_ONLY, "remote": "the files are on this machine"}

    def config(self):
        return {"LocalData": {"catalogs": [self.catalog], "environment": [SECRET]}}


class LocalFirst(Local):
    """The same in Intake's first format."""

    version = 1
    claims = Local.claims - {"dask"}
    declines = {
        **Local.declines,
        "dask": "Intake 2 gives text of that format no to_dask(), and no CSV by patterns",
    }


class Remote(Served, DataSuite):
    """greyhub's own, of documents behind a URL."""

    adapter = "greyhub.data:DataAdapter"
    mode = "emulator"
    claims = {"dask", "documents", "nested", "parameters", "remote"}
    declines = {**READ_ONLY, "credentials": "this server asks for none"}

    def config(self):
        return {"DataAdapter": {"catalogs": [self.catalog]}}


class OfAll(FaultProxy):
    """Stands at the storage account, at the hub, which lists assets, and at catalogues' server."""

    def __init__(self, account, hub, files):
        authority = account.authority
        super().__init__(account.url, authority.serving(), authority.trusting())
        self.hub, self.files = FaultProxy(hub.url), files

    @contextmanager
    def fault(self, kind, **how):
        others = self.hub.fault(kind, **how), self.files.fault(kind, **how)
        with others[0], others[1], super().fault(kind, **how) as hit:
            yield hit

    @contextmanager
    def between(self, step):
        with self.hub.between(step), self.files.between(step), super().between(step):
            yield

    def close(self):
        self.hub.close()
        self.files.close()
        super().close()


class AzureML(Served, DataSuite):
    """greyhub's own, of data assets: a simulated workspace, and Azurite with logins over TLS.

    What is published are assets; what is written are catalogues beside them, behind a URL.
    """

    adapter = "greyhub.data.azureml:AzureMLData"
    mode = "emulator"
    kind = "table"
    endpoint = "AzureMLData.account_urls"
    claims = {"dask", "documents", "nested", "remote"}
    declines = {
        "acl": "the storage account says who may read",
        "credentials": "a user's login opens a dataset, and no asset holds a secret",
        "export": "an asset is made in Azure ML",
        "parameters": "an asset's only choice is its version",
    }

    def prepare(self):
        super().prepare()
        self.stack = ExitStack()
        scratch = self.stack.enter_context(tempfile.TemporaryDirectory(prefix="greyhub-assets-"))
        self.account = self.stack.enter_context(account_in(Path(scratch)))
        self.hub = self.stack.enter_context(AssetHub().serving())
        self.hub.server_token = self.tokens["JUPYTERHUB_API_TOKEN"]
        self._proxy = OfAll(self.account, self.hub, self._proxy)
        here = {"JUPYTERHUB_API_URL": self._proxy.hub.url}
        self.stack.enter_context(patch.dict(os.environ, here))
        self.stack.enter_context(nothing_held())
        place = Path(self.folder.name)
        self.workspace = self.stack.enter_context(workspace_in(place, self.account, self.hub))
        self.hub.listing = self.workspace.adapter().listing()
        self.number, self.assets = 0, set()

    def cleanup(self):
        self.stack.close()
        super().cleanup()

    @property
    def proxy(self):
        return self._proxy

    def place(self, path="catalog.yaml"):
        return f"{self.proxy.files.url}/{path}"

    def config(self):
        self.workspace.options["catalogs"] = [self.catalog]
        return self.workspace.config()

    def proxied(self, **names):
        options = self.options()
        options["AzureMLData"]["account_urls"] = {ACCOUNT: self.proxy.url}
        return options

    def write(self, documents):
        for name in self.assets:
            self.workspace.azure.remove_data(name)
        self.assets = set()
        super().write(documents)

    def publish(self, datasets):
        self.number += 1
        super().publish({})
        self.assets, there = set(datasets), set()
        for name, each in datasets.items():
            files = each.files
            folder = f"{self.number}/{name if len(files) > 1 else ''}".rstrip("/")
            for path, content in files.items():
                if (folder, path) not in there:
                    self.workspace.put(f"{folder}/{path}", content)
                    put(self.root / path, content)  # for documents that name it
                    there.add((folder, path))
            about = {
                "description": each.description,
                "properties": {key: json.dumps(value) for key, value in each.metadata.items()},
            }
            if len(files) > 1:
                self.workspace.asset(name, folder, str(self.number), "uri_folder", **about)
            else:
                place = f"{folder}/{next(iter(files))}"
                self.workspace.asset(name, place, str(self.number), **about)

    def touched(self):
        asked = {each.path for each in self.proxy.files.requests if each.method == "GET"}
        files = {path for path in self.published if f"/{path}" in asked}
        return {*super().touched(), *files}

    def damage(self, path, how):
        return DataSuite.damage(self, path, how)

    def content(self):
        return {**super().content(), **self.blobs()}

    def blobs(self):
        blobs = self.account.client.get_container_client("homes").list_blobs()
        return {each.name: (each.etag, each.last_modified) for each in blobs}

    @contextmanager
    def missing(self, path):
        oracle = self.account.oracle
        held = {name: oracle.read(name) for name in self.blobs() if name.endswith(f"/{path}")}
        for name in held:
            oracle.delete(name)
        try:
            yield
        finally:
            for name, content in held.items():
                oracle.write(name, content)

    def sweep(self):
        super().sweep()
        for name in self.blobs():
            self.account.oracle.delete(name)


class Toys(DataSuite):
    """Eyes on a toy service, which is a dictionary."""

    endpoint = "make.url"
    claims = written.TestToyData.claims
    declines = written.TestToyData.declines
    adapter = ToyCatalog

    def prepare(self):
        self.service = Service().start()

    def cleanup(self):
        self.service.stop()

    def config(self):
        options = self.service.options
        return {"make": {"url": options["service"], "token_file": options["token_file"]}}

    def make(self, user):
        self.service.admit(user, self.secret)
        return super().make(user)

    def publish(self, datasets):
        self.service.shelf.publish(datasets)

    def restore(self, exported):
        self.service.shelf.restore(exported)

    def content(self):
        return self.service.shelf.content()

    def missing(self, path):
        return self.service.shelf.without(path)


class Toy(written.TestToyData):
    """The catalogue that ``greyhub conform new`` writes: a service, and no documents."""

    service = Service()
    prepare, cleanup = service.start, service.stop


class Lazy(OnDisk, DataSuite):
    """Intake 2 itself, declining all that can be declined: it must not earn the badge."""

    adapter = "intake:from_yaml_file"
    declines = dict.fromkeys(DataSuite.contract.capabilities, "not looked at")

    def config(self):
        return {"make": {"path": self.catalog}}
