"""Catalogues that others have written.

Where Intake raises errors of its own, the suites say what the contract calls them.
"""

import copy
from contextlib import contextmanager

from greyhub.conformance.data import DataSuite, OnDisk
from greyhub.errors import CatalogError

NONE = {
    "acl": "the files' modes say who may read them",
    "export": "a catalogue is a file that people have already",
    "nested": "a catalogue within is an entry, which is opened for itself: no name leads into it",
    "remote": "the files are on this machine",
}


@contextmanager
def in_our_words(*kinds):
    """What Intake raises of a document, or of an entry, is a CatalogError here."""
    try:
        yield
    except kinds as error:
        raise CatalogError(str(error)) from error


class Intake2(OnDisk, DataSuite):
    """Intake's catalogue of its second format."""

    adapter = "intake:from_yaml_file"
    mode = "real"
    parts = ("pandas", "dask")
    claims = {"credentials", "dask", "documents"}
    declines = {**NONE, "parameters": "those of a reader do not reach the place of its data"}

    def config(self):
        return {"Catalog": {"path": self.catalog}}

    def make(self, user):
        import yaml

        with in_our_words(ValueError, yaml.YAMLError):
            return super().make(user)

    @staticmethod
    def open(catalog, name, /, **parameters):
        with in_our_words(ImportError):
            return (catalog(**parameters) if parameters else catalog)[name]

    @staticmethod
    def describe(catalog, name):
        entry = catalog.entries[catalog.aliases[name]]
        metadata = copy.deepcopy(entry.metadata)
        return {
            "name": name,
            "description": metadata.get("description", ""),
            "container": entry.output_instance,
            "metadata": metadata,
            "parameters": [
                {"name": key, "default": each.default, "allowed": list(each.options)}
                for key, each in entry.user_parameters.items()
            ],
        }


class Intake1(OnDisk, DataSuite):
    """Intake's catalogue of its first format, as Intake 2 still has it."""

    adapter = "intake:open_catalog"
    mode = "real"
    version = 1
    parts = ("pandas",)
    claims = {"credentials", "documents", "parameters"}
    declines = {**NONE, "dask": "for that it needs pyarrow"}

    def make(self, user):
        with in_our_words(*_of_documents()):
            return self.subject()(self.catalog)

    @staticmethod
    def open(catalog, name, /, **parameters):
        try:
            return catalog[name].configure_new(**parameters) if parameters else catalog[name]
        except ValueError as error:
            if "No plugins loaded" in str(error):
                raise CatalogError(f"{name}: {error}") from error
            raise

    @staticmethod
    def reload(catalog):
        with in_our_words(*_of_documents()):
            catalog.force_reload()

    @staticmethod
    def describe(catalog, name):
        said = catalog[name].describe()
        return {**said, "parameters": said["user_parameters"]}


def _of_documents():
    import yaml
    from intake.catalog.exceptions import CatalogException

    return CatalogException, yaml.YAMLError
