"""Catalogues that list or give something else: DATA-001 to 008, 013, 015."""

import os
import threading
import time
from dataclasses import replace

from examples.data.toydata import ToyCatalog, ToyDataset, parameters
from examples.data.toydata.catalog import Unknown
from greyhub.conformance.mutation import mutant
from tests.conformance.data.fragile import Disk, Fragile, Paper, Toys


@mutant("DATA-001", Toys)
class ListsWords(Fragile):
    """What is no word of a programming language opens, and is not listed."""

    def __iter__(self):
        return (name for name in self.entries if name.isidentifier())


@mutant("DATA-001", Toys, also="DATA-031")
class CountsItself(Fragile):
    """Its length counts the catalogue, too."""

    def __len__(self):
        return len(self.entries) + 1


@mutant("DATA-001", Toys)
class TakesDotsForFolders(Fragile):
    """What has a dot in its name is within something, and so it is not listed."""

    def __iter__(self):
        return (name for name in self.entries if "." not in name)


@mutant("DATA-001", Toys)
class ListsOnePage(Fragile):
    """A hundred at once, and nobody asks for the next."""

    def fetch(self):
        return dict(list(super().fetch().items())[:100])


class Short(ToyDataset):
    def read(self):
        found = super().read()
        if isinstance(found, dict):
            return {name: column[:5000] for name, column in found.items()}
        return found[:5000]


@mutant("DATA-002", Toys)
class OnePage(Fragile):
    """Reads one page of what is long."""

    def open(self, name, /, **parameters):
        found = super().open(name, **parameters)
        # In the clause about broken connections the same table is long, too.
        return Short(*vars(found).values()) if name == "everything" else found


class Stripped(ToyDataset):
    def read(self):
        found = super().read()
        if not isinstance(found, dict):
            return found
        return {
            name: [each.strip() if isinstance(each, str) else each for each in column]
            for name, column in found.items()
        }


@mutant("DATA-002", Toys)
class Tidies(Fragile):
    """Takes the spaces around a text away."""

    dataset = Stripped


class Filled(ToyDataset):
    def read(self):
        found = super().read()
        return found if isinstance(found, dict) else [line for line in found if line]


@mutant("DATA-002", Toys)
class SkipsBlankLines(Fragile):
    """A line in which nothing stands is none."""

    dataset = Filled


class Sorted(ToyDataset):
    def read(self):
        found = super().read()
        if not isinstance(found, dict) or not found:
            return found
        rows = sorted(zip(*found.values(), strict=True), key=lambda row: row[0])
        return {name: [row[at] for row in rows] for at, name in enumerate(found)}


@mutant("DATA-002", Toys)
class SortsRows(Fragile):
    """Gives the rows in the order of the first column."""

    dataset = Sorted


@mutant("DATA-003", Toys)
class CountsRows(Fragile):
    """Tells how many rows there are, for which it reads them."""

    def describe(self, name):
        said = super().describe(name)
        if not said["parameters"]:
            said["rows"] = len(self.open(name).read())
        return said


@mutant("DATA-004", Toys)
class Helps(Fragile):
    """Takes a name for the nearest that there is."""

    def entry(self, name):
        if name not in self.entries and isinstance(name, str):
            name = name.strip().lower()
        return super().entry(name)


@mutant("DATA-003", Toys)
class CountsLines(Fragile):
    """Tells of a log how many lines it has, for which it reads it."""

    def describe(self, name):
        said = super().describe(name)
        return {**said, "n": len(self.open(name).read())} if said["container"] == "lines" else said


@mutant("DATA-004", Toys)
class Completes(Fragile):
    """The begin of a name will do, if only one begins so."""

    def entry(self, name):
        if isinstance(name, str) and name and name not in self.entries:
            [name] = [each for each in self.entries if each.startswith(name)] or [name]
        return super().entry(name)


@mutant("DATA-004", Toys, also="DATA-031")
class SaysNothingOfTheUnknown(Fragile):
    """A description of what is not there is an empty one."""

    def describe(self, name):
        return super().describe(name) if name in self.entries else {}


@mutant("DATA-004", Toys)
class HasAttributes(Fragile):
    """What is no dataset may be an attribute."""

    def open(self, name, /, **parameters):
        try:
            return super().open(name, **parameters)
        except Unknown:
            if isinstance(name, str) and hasattr(self, name):
                return getattr(self, name)
            raise


@mutant("DATA-005", Toys)
class IgnoresTheUnknown(Fragile):
    """Parameters that are not declared are nobody's business."""

    def open(self, name, /, **given):
        known = {each["name"] for each in self.entry(name)["parameters"]}
        return super().open(name, **{key: given[key] for key in given if key in known})


@mutant("DATA-005", Toys)
class IgnoresAllOfTheFixed(Fragile):
    """Where there is nothing to choose, any choice is as good."""

    def open(self, name, /, **given):
        return super().open(name, **(given if self.entry(name)["parameters"] else {}))


@mutant("DATA-005", Toys)
class LeavesTheLeastOut(Fragile):
    """The smallest value that is allowed is too small."""

    def open(self, name, /, **given):
        for each in self.entry(name)["parameters"]:
            if each["min"] is not None and given.get(each["name"]) == each["min"]:
                raise ValueError(f"{each['name']} must be more than {each['min']}")
        return super().open(name, **given)


@mutant("DATA-005", Toys)
class AnyTextIsFine(Fragile):
    """A text may be a path."""

    def open(self, name, /, **given):
        entry = self.entry(name)
        free = {
            each["name"]: given[each["name"]]
            for each in entry["parameters"]
            if each["type"] == "str" and not each["allowed"] and each["name"] in given
        }
        rest = {key: value for key, value in given.items() if key not in free}
        if not free:
            return super().open(name, **rest)
        declared = [each for each in entry["parameters"] if each["name"] not in free]
        values = {**parameters.chosen(declared, rest), **free}
        place = entry["place"]
        for key, value in values.items():
            place = place.replace(f"{{{key}}}", str(value))
        return ToyDataset(self.client, name, entry["id"], entry["container"], place)


class Read:
    """Dask's own form of what was read at once."""

    def __init__(self, reader):
        self.reader = reader

    def __repr__(self):
        return repr(self.reader)

    def read(self):
        return self.reader.read()

    def to_dask(self):
        from dask.bag import from_sequence

        lines = self.reader.read().compute(scheduler="synchronous")
        return from_sequence(lines, npartitions=3)


@mutant("DATA-006", Disk)
class ReadsFirst(Paper):
    """What Dask gets has been read already."""

    def open(self, name, /, **parameters):
        found = super().open(name, **parameters)
        return Read(found) if "DaskText" in repr(found) else found


@mutant("DATA-007", Toys)
class TakesTheTokenAlong(Fragile):
    """Keeps the environment that it was made in."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.environment = {
            name: value for name, value in os.environ.items() if name.startswith("JUPYTERHUB_")
        }


class Named(ToyDataset):
    def __reduce__(self):
        return reopened, (self.client, self.name)


def reopened(client, name):
    return ToyCatalog(client.url, client.token_file).open(name)


@mutant("DATA-007", Toys)
class PicklesTheName(Fragile):
    """What is pickled is the name, and not what was chosen."""

    dataset = Named


@mutant("DATA-007", Toys)
class HasALock(Fragile):
    """Holds on to what belongs to this process."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.lock = threading.Lock()


class Latest(ToyDataset):
    places = {}

    def read(self):
        place = self.places.get(self.name, self.place)
        return replace(ToyDataset(*vars(self).values()), place=place).read()


@mutant("DATA-008", Toys)
class LastOneOpened(Fragile):
    """A dataset reads what was chosen last, by whomever."""

    def open(self, name, /, **parameters):
        found = super().open(name, **parameters)
        if not parameters:
            return found
        Latest.places[name] = found.place
        return Latest(*vars(found).values())


class OneBuffer(ToyDataset):
    content = [None]

    def read(self):
        self.content[0] = super().read()
        time.sleep(0.001)
        return self.content[0]


@mutant("DATA-008", Toys)
class SharesABuffer(Fragile):
    """All that read at one time read into the same place."""

    dataset = OneBuffer


@mutant("DATA-013", Toys)
class TellsTheTime(Fragile):
    """A description says when it was made."""

    def describe(self, name):
        return {**super().describe(name), "asked": time.time()}


@mutant("DATA-013", Toys)
class GivesItselfAway(Fragile):
    """A description is the catalogue's own."""

    def describe(self, name):
        return self.entry(name)


@mutant("DATA-013", Toys, also="DATA-005 DATA-008")
class RemembersTheChoice(Fragile):
    """What was chosen last is the default from now on."""

    def open(self, name, /, **given):
        found = super().open(name, **given)
        for each in self.entry(name)["parameters"]:
            each["default"] = given.get(each["name"], each["default"])
        return found


@mutant("DATA-015", Toys)
class ExportsLess(Fragile):
    """What is said of a dataset is not exported."""

    def export(self):
        return {name: {**said, "metadata": {}} for name, said in super().export().items()}
