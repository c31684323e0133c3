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
        "dask": "for that Intake needs pyarrow",
    }


class Remote(Served, DataSuite):
    """greyhub's own, of documents behind a URL."""

    adapter = "greyhub.data:DataAdapter"
    mode = "emulator"
    claims = {"dask", "documents", "nested", "parameters", "remote"}
    declines = {**READ_ONLY, "credentials": "this server asks for none"}

    def config(self):
        return {"DataAdapter": {"catalogs": [self.catalog]}}


class OfBoth(FaultProxy):
    """Stands at the storage account, where data is asked for, and at the hub, where assets are."""

    def __init__(self, account, hub):
        authority = account.authority
        super().__init__(account.url, authority.serving(), authority.trusting())
        self.hub = FaultProxy(hub.url)

    @contextmanager
    def fault(self, kind, **how):
        with self.hub.fault(kind, **how), super().fault(kind, **how) as hit:
            yield hit

    @contextmanager
    def between(self, step):
        with self.hub.between(step), super().between(step):
            yield

    def close(self):
        self.hub.close()
        super().close()


class AzureML(DataSuite):
    """greyhub's own, of data assets: a simulated workspace, and Azurite with logins over TLS."""

    adapter = "greyhub.data.azureml:AzureMLData"
    mode = "emulator"
    endpoint = "AzureMLData.account_urls"
    claims = {"dask", "remote"}
    declines = {
        "acl": "the storage account says who may read",
        "credentials": "a user's login opens a dataset, and no asset holds a secret",
        "documents": "assets are made in Azure ML",
        "export": "an asset is made in Azure ML",
        "nested": "there are no assets of assets",
        "parameters": "an asset's only choice is its version",
    }

    def prepare(self):
        self.stack = ExitStack()
        scratch = self.stack.enter_context(tempfile.TemporaryDirectory(prefix="greyhub-assets-"))
        self.account = self.stack.enter_context(account_in(Path(scratch)))
        self.hub = self.stack.enter_context(AssetHub().serving())
        self.hub.server_token = self.tokens["JUPYTERHUB_API_TOKEN"]
        self._proxy = OfBoth(self.account, self.hub)
        here = {"JUPYTERHUB_API_URL": self._proxy.hub.url}
        self.stack.enter_context(patch.dict(os.environ, here))
        self.stack.enter_context(nothing_held())
        place = Path(self.folder.name)
        self.workspace = self.stack.enter_context(workspace_in(place, self.account, self.hub))
        self.hub.listing = self.workspace.adapter().listing()
        self.number, self.assets = 0, set()

    def cleanup(self):
        self.stack.close()

    @property
    def proxy(self):
        return self._proxy

    def config(self):
        return self.workspace.config()

    def proxied(self, **names):
        options = self.options()
        options["AzureMLData"]["account_urls"] = {ACCOUNT: self.proxy.url}
        return options

    def publish(self, datasets):
        self.number += 1
        for name in self.assets:
            self.workspace.azure.remove_data(name)
        self.assets, there = set(datasets), set()
        for name, each in datasets.items():
            files = each.files
            folder = f"{self.number}/{name if len(files) > 1 else ''}".rstrip("/")
            for path, content in files.items():
                if (folder, path) not in there:
                    self.workspace.put(f"{folder}/{path}", content)
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

    def content(self):
        blobs = self.account.client.get_container_client("homes").list_blobs()
        return {each.name: (each.etag, each.last_modified) for each in blobs}

    @contextmanager
    def missing(self, path):
        oracle = self.account.oracle
        held = {name: oracle.read(name) for name in self.content() if name.endswith(f"/{path}")}
        for name in held:
            oracle.delete(name)
        try:
            yield
        finally:
            for name, content in held.items():
                oracle.write(name, content)

    def sweep(self):
        super().sweep()
        for name in self.content():
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
