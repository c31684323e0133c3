"""Catalogues for which nothing is wrong, or everything: DATA-009 to 012, 014, 033."""

import http.client
import json
import os
import urllib.request
from dataclasses import replace
from pathlib import Path

from examples.data.toydata import ToyDataset
from examples.data.toydata.client import Client
from greyhub.conformance.mutation import mutant
from greyhub.data.loading import Found
from greyhub.errors import CatalogError
from tests.conformance.data.fragile import Disk, Fragile, Paper, Toys, Web


@mutant("DATA-009", Disk)
class NothingIsWrong(Paper):
    """What is no catalogue is an empty one."""

    def __init__(self, path):
        try:
            super().__init__(path)
        except CatalogError:
            self._sources, self._policy, self._found = (("", path),), self.policy, Found()


@mutant("DATA-009", Disk)
class TellsNoLine(Paper):
    """Says which file, and not where in it."""

    def __init__(self, path):
        try:
            super().__init__(path)
        except CatalogError:
            raise CatalogError(f"{path} is no catalogue") from None


@mutant("DATA-009", Disk)
class NothingIsThere(Paper):
    """A catalogue that is not there is an empty one."""

    def __init__(self, path):
        if os.path.exists(path):
            super().__init__(path)
        else:
            self._sources, self._policy, self._found = (("", path),), self.policy, Found()


@mutant("DATA-010", Disk, also="DATA-012")
class AllOrNothing(Paper):
    """One bad entry keeps the whole catalogue shut."""

    def __init__(self, path):
        super().__init__(path)
        for name, fault in self.broken.items():
            if "." not in name:
                raise fault


@mutant("DATA-010", Disk)
class ForgetsTheBad(Paper):
    """A bad entry is as unknown as one that was never written."""

    def _entry(self, name):
        if name == "bad":
            self._found.broken.pop(name, None)
        return super()._entry(name)


class EmptyInstead(ToyDataset):
    def read(self):
        try:
            return super().read()
        except FileNotFoundError:
            return {}


@mutant("DATA-011", Toys)
class FindsNothing(Fragile):
    """Data that is not there is empty."""

    dataset = EmptyInstead


class Nameless(ToyDataset):
    def read(self):
        try:
            return super().read()
        except FileNotFoundError:
            raise FileNotFoundError("something is missing") from None


@mutant("DATA-011", Toys)
class NamesNothing(Fragile):
    """An error that says what happened, and not to what."""

    dataset = Nameless


@mutant("DATA-012", Disk)
class FollowsAgain(Paper):
    """A catalogue that is named twice is there twice."""

    def _read(self, *given):
        return self.renamed(
            super()._read(*given), lambda name: {name, name.replace("inner.", "again.", 1)}
        )


@mutant("DATA-012", Disk, also="DATA-001")
class Flattens(Paper):
    """What is within stands beside what is without."""

    def _read(self, *given):
        return self.renamed(super()._read(*given), lambda name: [name.rpartition(".")[2]])


@mutant("DATA-012", Disk)
class InsistsOnAllWithin(Paper):
    """A catalogue within that is not there keeps the whole shut."""

    def __init__(self, path):
        super().__init__(path)
        for fault in self.broken.values():
            if "no such catalogue" in str(fault):
                raise fault


@mutant("DATA-012", Disk)
class ReloadsTheOutermost(Paper):
    """What is within is looked at again if what is without was changed."""

    def _read(self, *given):
        before, text = getattr(self, "before", (None, None)), Path(self.path).read_bytes()
        if before[0] != text:
            self.before = text, super()._read(*given)
        return self.before[1]


@mutant("DATA-014", Web)
class BesideTheNotebook(Paper):
    """A relative place is one in the notebook's own directory."""

    def _read(self, *given):
        found = super()._read(*given)
        for name, entry in found.entries.items():
            if "CATALOG_DIR" not in json.dumps(entry.document.body, default=str):
                here = replace(entry.document, directory=os.getcwd())
                found.entries[name] = replace(entry, document=here)
        return found


class TakesWhatCame(Client):
    def get(self, path):
        token = Path(self.token_file).read_text()
        headers = {"Authorization": f"Bearer {token}"}
        if path.startswith("data/") and "long" in path:
            request = urllib.request.Request(f"{self.url}/{path}", headers=headers)
            try:
                with urllib.request.urlopen(request, timeout=10) as answer:
                    return answer.read()
            except http.client.IncompleteRead as error:
                return error.partial.rpartition(b"\n")[0] + b"\n"
            except OSError:
                pass
        return super().get(path)


class OfAnother(Fragile):
    client_class = Client

    def open(self, name, /, **parameters):
        found = super().open(name, **parameters)
        client = self.client_class(found.client.url, found.client.token_file)
        return replace(found, client=client)


@mutant("DATA-033", Toys)
class HalfIsEnough(OfAnother):
    """What had come when the connection broke is the dataset."""

    client_class = TakesWhatCame


class BearsAGrudge(Client):
    broken = set()

    def get(self, path):
        if path in self.broken:
            raise CatalogError(f"{path}: it was broken before")
        try:
            return super().get(path)
        except CatalogError:
            self.broken.add(path)
            raise


@mutant("DATA-033", Toys)
class NeverAgain(OfAnother):
    """What broke once is not tried again."""

    client_class = BearsAGrudge
