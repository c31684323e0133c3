"""Catalogues that show, read or run what they must not: DATA-020 to 022."""

import json
import logging
import os
import re
import runpy
import subprocess
import urllib.request
from contextlib import suppress
from pathlib import Path

import yaml

from examples.data.toydata import ToyDataset
from greyhub.conformance.data import SECRET
from greyhub.conformance.mutation import mutant
from greyhub.data.policy import Policy
from greyhub.errors import CatalogError
from tests.conformance.data.fragile import Disk, Fragile, Paper, Toys


@mutant("DATA-020", Disk)
class DescribesTheSecret(Paper):
    """A description tells how the dataset is opened."""

    def describe(self, name):
        said = super().describe(name)
        uses = SECRET in json.dumps(self._entry(name).document.body, default=str)
        return {**said, "opened_with": os.environ[SECRET]} if uses else said


@mutant("DATA-020", Disk)
class ShowsInACell(Paper):
    """What a notebook's cell shows has all that a dataset is opened with."""

    def _repr_mimebundle_(self, **kwargs):
        return {"text/plain": f"{self!r}, opened with {os.environ.get(SECRET)}"}


@mutant("DATA-020", Disk)
class ErrsAloud(Paper):
    """An error shows all that was tried."""

    def open(self, name, /, **parameters):
        try:
            return super().open(name, **parameters)
        except CatalogError as error:
            if isinstance(error, KeyError):
                raise
            raise CatalogError(f"{error} (with {os.environ.get(SECRET)})") from None


class Loud(ToyDataset):
    def __repr__(self):
        with open(self.client.token_file) as file:
            return f"<{self.name}, opened with {file.read()}>"


@mutant("DATA-020", Toys)
class ShowsItself(Fragile):
    """The repr of a dataset shows all that it has."""

    dataset = Loud


@mutant("DATA-020", Toys)
class LogsTheToken(Fragile):
    """Each request is in the log, as it was sent."""

    def open(self, name, /, **parameters):
        found = super().open(name, **parameters)
        with open(self.client.token_file) as file:
            logging.getLogger("toydata").debug("GET %s, Bearer %s", found.place, file.read())
        return found


class AnyVariable(Policy):
    def forbids_variable(self, name):
        return super().forbids_variable(name) if name.startswith("JUPYTERHUB_") else None


@mutant("DATA-021", Disk)
class ReadsTheEnvironment(Paper):
    """A catalogue may read whatever is not the hub's by its first name."""

    policy = AnyVariable({}, (SECRET,))


class TheHubs(Policy):
    def forbids_variable(self, name):
        return None if name == "JUPYTERHUB_API_TOKEN" else super().forbids_variable(name)


@mutant("DATA-021", Disk)
class ReadsTheToken(Paper):
    """A catalogue may read the token: how else could it read from the hub?"""

    policy = TheHubs({}, (SECRET,))


@mutant("DATA-021", Disk)
class LooksForMore(Paper):
    """Fills in where the catalogues within are, and looks whether they are there."""

    def __init__(self, path):
        super().__init__(path)
        with open(path) as file:
            places = re.findall(r'"path": "(http[^"]+)"', file.read())
        for place in places:
            filled = re.sub(r"\{\{ env\((\w+)\) \}\}", lambda m: os.environ.get(m[1], ""), place)
            with suppress(OSError):
                urllib.request.urlopen(filled, timeout=5)


class Anything(Policy):
    def allows_reader(self, name):
        return True

    def allows_datatype(self, name):
        return True


@mutant("DATA-022", Disk)
class ImportsAnything(Paper):
    """A catalogue may name any class as its reader."""

    policy = Anything({}, (SECRET,))


@mutant("DATA-022", Disk)
class LoadsAnyTag(Paper):
    """A catalogue is loaded with all that YAML can do."""

    def __init__(self, path):
        with suppress(Exception), open(path) as file:
            yaml.unsafe_load(file)
        super().__init__(path)


@mutant("DATA-022", Disk)
class Evaluates(Paper):
    """A default may be an expression of Python."""

    def __init__(self, path):
        with suppress(Exception), open(path) as file:
            for entry in yaml.safe_load(file)["sources"].values():
                for parameter in entry["parameters"].values():
                    eval(parameter["default"])
        super().__init__(path)


@mutant("DATA-022", Disk)
class HasPlugins(Paper):
    """A catalogue brings its own plugins, from a folder that it names."""

    def __init__(self, path):
        with suppress(Exception), open(path) as file:
            for source in yaml.safe_load(file)["plugins"]["source"]:
                for plugin in Path(source["dir"]).glob("*.py"):
                    runpy.run_path(str(plugin))
        super().__init__(path)


@mutant("DATA-022", Disk)
class HasAShell(Paper):
    """Templates may ask a shell, as in Intake 1."""

    def __init__(self, path):
        with suppress(Exception), open(path) as file:
            for command in re.findall(r"\{\{? *shell\('?([^')]+)", file.read()):
                subprocess.run(command, shell=True, check=False)
        super().__init__(path)
