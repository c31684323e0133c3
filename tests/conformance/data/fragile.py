"""What the mutants are made of: the toy catalogue, and greyhub's own of documents."""

from dataclasses import replace

from examples.data.toydata import ToyCatalog, ToyDataset
from examples.data.toydata.service import Shelf
from greyhub.conformance.data import SECRET, DataSuite, OnDisk, Served
from greyhub.data.catalog import Catalog
from greyhub.data.policy import Policy
from tests.conformance.data.suites import Local, Remote, Toys


class Fragile(ToyCatalog):
    """A toy catalogue whose datasets are of another class."""

    dataset = ToyDataset

    def open(self, name, /, **parameters):
        found = super().open(name, **parameters)
        return self.dataset(found.client, found.name, found.id, found.container, found.place)


class Paper(Catalog):
    """greyhub's catalogue of one document, with another policy."""

    policy = Policy({}, (SECRET,))

    def __init__(self, path):
        self.path = path
        super().__init__([("", path)], self.policy)

    def renamed(self, found, change):
        """Give entries other names, or several."""
        found.entries = {
            new: entry for name, entry in found.entries.items() for new in change(name)
        }
        return found


class Disk(OnDisk, DataSuite):
    """Eyes on documents on a disk."""

    claims, declines = Local.claims, Local.declines

    def config(self):
        return {"make": {"path": self.catalog}}


class Web(Served, DataSuite):
    """Eyes on documents behind a URL."""

    claims, declines = Remote.claims, Remote.declines

    def config(self):
        return {"make": {"path": self.catalog}}


class Lax(Shelf):
    """A shelf that shows everything to everyone, and says of what is hidden that it is."""

    def catalog(self, user):
        return {
            name: {**item.said, "hidden": not item.allows(user)} for name, item in self.now.items()
        }


class LaxToys(Toys):
    """A service that leaves it to its clients what they show."""

    shelf = Lax

    def prepare(self):
        super().prepare()
        shelf = self.shelf()
        self.service.shelf = self.service.server.RequestHandlerClass.shelf = shelf


__all__ = ["Disk", "Fragile", "Lax", "LaxToys", "Paper", "Toys", "Web", "replace"]
