"""What the mutants are made of: the toy home, and greyhub's own on a disk."""

import importlib

from examples.homespace.toyhomespace import ToyHome
from greyhub.homespace.filesystem import Home
from greyhub.homespace.local import LocalHomespace
from tests.conformance.homespace.suites import Local, Toys


def find(module, name):
    """The class of this name, also where the module holds a mutant under it."""
    found = getattr(importlib.import_module(module), name)
    return found.suite.subject() if hasattr(found, "suite") else found


def rebuild(module, name, args, kwargs):
    return find(module, name)(*args, **kwargs)


class Fragile(ToyHome):
    """A toy home whose subclasses can be pickled, though each is a mutant by now."""

    writer = text = None

    def open(self, path, mode="rb", *args, **kwargs):
        file = super().open(path, mode, *args, **kwargs)
        if self.text and "b" not in mode and "r" not in mode:
            file.__class__ = self.text
        return file

    def _open(self, path, mode="rb", *args, **kwargs):
        file = super()._open(path, mode, *args, **kwargs)
        if self.writer and mode != "rb":
            file.__class__ = self.writer
        return file

    def __reduce__(self):
        cls = type(self)
        return rebuild, (cls.__module__, cls.__name__, self.storage_args, self.storage_options)


class Toy(Toys):
    adapter = Fragile


class Disk(Local):
    """greyhub's own home, of which `home_class` is the filesystem."""


class DiskHome(LocalHomespace):
    """Homes whose filesystem is another class."""

    home_class = Home

    @classmethod
    def connect(cls, ticket, **options):
        return cls.home_class(ticket["path"])
