"""Catalogues that others have written."""

import copy

from greyhub.conformance.data import DataSuite, OnDisk

NONE = {
    "acl": "the files' modes say who may read them",
    "export": "a catalogue is a file that people have already",
    "remote": "the files are on this machine",
}


class Intake2(OnDisk, DataSuite):
    """Intake's catalogue of its second format."""

    adapter = "intake:from_yaml_file"
    mode = "real"
    parts = ("pandas", "dask")
    claims = {"credentials", "dask", "documents", "nested", "parameters"}
    declines = NONE

    def config(self):
        return {"Catalog": {"path": self.catalog}}

    @staticmethod
    def open(catalog, name, /, **parameters):
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
    claims = {"credentials", "documents", "nested", "parameters"}
    declines = {**NONE, "dask": "for that it needs pyarrow"}

    def make(self, user):
        return self.subject()(self.catalog)

    @staticmethod
    def open(catalog, name, /, **parameters):
        return catalog[name].configure_new(**parameters) if parameters else catalog[name]

    @staticmethod
    def describe(catalog, name):
        said = catalog[name].describe()
        return {**said, "parameters": said["user_parameters"]}
