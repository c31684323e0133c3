"""Catalogues that change what they read, or do not see it change: DATA-023, 030 to 032."""

import os
from contextlib import suppress

from examples.data.toydata import ToyDataset
from examples.data.toydata.catalog import Unknown
from greyhub.conformance.mutation import mutant
from greyhub.data.loading import Found
from greyhub.errors import CatalogError
from tests.conformance.data.fragile import Disk, Fragile, Lax, LaxToys, Paper, Toys


@mutant("DATA-023", Disk)
class WritesAnIndex(Paper):
    """Keeps an index beside the catalogue, to be quicker the next time."""

    def __init__(self, path):
        super().__init__(path)
        with open(f"{path}.index", "w") as file:
            file.write("\n".join(self))


@mutant("DATA-023", Disk)
class LeavesAMark(Paper):
    """Marks a catalogue that was read, by its time."""

    def __init__(self, path):
        super().__init__(path)
        os.utime(path)


@mutant("DATA-030", Toys)
class ReadOnce(Fragile):
    """What was read once is known."""

    def reload(self):
        pass


@mutant("DATA-030", Toys)
class ForgetsFirst(Fragile):
    """Forgets what it had, and then asks for what there is."""

    def reload(self):
        self.entries = {}
        super().reload()


@mutant("DATA-030", Toys)
class ReloadsIfItCan(Fragile):
    """Where nobody answers, what was known is as good, and nobody is told."""

    def reload(self):
        with suppress(CatalogError):
            super().reload()


class Follower(ToyDataset):
    def read(self):
        entry = self.client.json("catalog").get(self.name, {"id": self.id, "place": self.place})
        if self.place == entry["place"] or "{" in entry["place"]:
            return super().read()
        return ToyDataset(
            self.client, self.name, entry["id"], self.container, entry["place"]
        ).read()


@mutant("DATA-030", Toys)
class FollowsTheName(Fragile):
    """What is open becomes what is published now under its name."""

    dataset = Follower


@mutant("DATA-030", Disk)
class LosesAll(Paper):
    """Forgets what it had before it looks for what there is."""

    def reload(self):
        self._found = Found()
        super().reload()


@mutant(
    "DATA-031",
    LaxToys,
    shelf=type(
        "Open", (Lax,), {"file": lambda self, user, number, path: self.ever[number].files.get(path)}
    ),
)
class HidesInTheList(Fragile):
    """What is hidden is not listed, and opens for whoever knows its name."""

    def __iter__(self):
        return (name for name, said in self.entries.items() if not said["hidden"])

    def __len__(self):
        return len(list(iter(self)))

    def __contains__(self, name):
        return name in set(self)


class Hiding(Fragile):
    """Shows, opens and describes what is not hidden."""

    def shown(self):
        return {name: said for name, said in self.entries.items() if not said["hidden"]}

    def entry(self, name):
        if name not in self.shown():
            raise Unknown(f"there is no dataset {name!r}; there are {sorted(self.told())}")
        return super().entry(name)

    def told(self):
        return self.shown()

    def export(self):
        return self.shown()

    def __iter__(self):
        return iter(self.shown())

    def __len__(self):
        return len(self.shown())

    def __contains__(self, name):
        return name in self.shown()


@mutant("DATA-031", LaxToys)
class HelpsTooMuch(Hiding):
    """Who asks for what is not there is told what is, the hidden too."""

    def told(self):
        return self.entries


@mutant("DATA-031", LaxToys)
class ExportsTheHidden(Hiding):
    """What is exported is all that the service has told."""

    def export(self):
        return self.entries


@mutant("DATA-031", LaxToys)
class TellsOfTheHidden(Fragile):
    """What is hidden cannot be read, but everyone is told of it."""

    def __iter__(self):
        return (name for name, said in self.entries.items() if not said["hidden"])

    def __len__(self):
        return len(list(iter(self)))

    def __contains__(self, name):
        return name in set(self)


class Loose(Lax):
    def catalog(self, user):
        return {name: said for name, said in super().catalog(user).items() if not said["hidden"]}

    def file(self, user, number, path):
        return self.ever[number].files.get(path)


@mutant("DATA-031", LaxToys, shelf=Loose)
class OnceSeenForEver(Fragile):
    """Who has opened a dataset reads it for ever, whoever it is hidden from since."""


@mutant("DATA-032", Toys)
class LooksTwice(Fragile):
    """First the names, then what is said of them."""

    def fetch(self):
        names = list(super().fetch())
        said = super().fetch()
        return {name: said[name] for name in names if name in said}
