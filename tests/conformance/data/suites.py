"""The author's files of catalogues that keep the contract."""

from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote

from greyhub.conformance.data import SECRET, DataSuite, OnDisk, Served
from greyhub.conformance.means.faults import FaultProxy
from greyhub.conformance.new.data.toydata import ToyData
from greyhub.conformance.new.data.toydata.service import Item, Service

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


class Toys(DataSuite):
    """Eyes on a toy service, which is a dictionary."""

    claims = {"acl", "credentials", "export", "parameters", "remote"}
    declines = {
        "dask": "the service gives whole files",
        "documents": "nobody writes a catalogue: it is a dictionary",
        "nested": "there is one catalogue",
    }

    def prepare(self):
        self.service = Service().start()
        self.proxy = FaultProxy(self.service.url)

    def cleanup(self):
        self.proxy.close()
        self.service.stop()

    def config(self):
        return {"make": {"url": self.proxy.url, "token_file": f"{self.folder.name}/{{user}}"}}

    def make(self, user):
        token = self.secret if user == "ada" else f"token-of-{user}"
        self.service.shelf.users[token] = user
        Path(self.folder.name, user).write_text(token)
        return super().make(user)

    def publish(self, datasets):
        self.restore({name: self.said(name, each) for name, each in datasets.items()}, datasets)

    @staticmethod
    def said(name, each):
        return {
            "name": name,
            "description": each.description,
            "container": each.kind,
            "metadata": dict(each.metadata),
            "place": each.place,
            "parameters": [
                {"name": p.name, "type": p.kind, "default": p.default, "min": p.minimum,
                 "max": p.maximum, "allowed": list(p.allowed or ())}
                for p in each.parameters
            ],
        }  # fmt: skip

    def restore(self, exported, datasets=None):
        shelf = self.service.shelf
        items = {}
        for name, said in exported.items():
            each = (datasets or {}).get(name)
            files = dict(each.files) if each else shelf.ever[said["id"]].files
            items[name] = Item(dict(said), files, each.users if each else None)
        shelf.publish(items)

    def content(self):
        return {name: repr(item) for name, item in self.service.shelf.now.items()}

    def touched(self):
        paths = [unquote(request.path) for request in self.proxy.requests]
        return {path.split("/", 3)[3] for path in paths if path.startswith("/data/")}

    @contextmanager
    def damage(self, path, how):
        if how != "missing":
            kind = {"forbidden": "rejected"}.get(how, how)
            with self.proxy.fault(kind, path=path):
                yield
            return
        [files] = [i.files for i in self.service.shelf.now.values() if path in i.files]
        content = files.pop(path)
        try:
            yield
        finally:
            files[path] = content


class Toy(Toys):
    """The catalogue that ``greyhub conform new`` writes: a service, and no documents."""

    adapter = ToyData

    def config(self):
        options = super().config()["make"]
        return {"ToyData": {"service": options["url"], "token_file": options["token_file"]}}


class Lazy(OnDisk, DataSuite):
    """Intake 2 itself, declining all that can be declined: it must not earn the badge."""

    adapter = "intake:from_yaml_file"
    declines = dict.fromkeys(DataSuite.contract.capabilities, "not looked at")

    def config(self):
        return {"make": {"path": self.catalog}}
