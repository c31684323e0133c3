"""The author's files of catalogues that keep the contract."""

from examples.data import suite as written
from examples.data.toydata import ToyCatalog
from examples.data.toydata.service import Service
from greyhub.conformance.data import SECRET, DataSuite, OnDisk, Served

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
