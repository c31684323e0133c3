"""Read catalogues of Intake 1."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.metadata import EntryPoint
from typing import Any

from greyhub.data import installed, templates
from greyhub.data.document import Document, Fault
from greyhub.data.entries import Entry
from greyhub.data.parameter_formats import from_first
from greyhub.data.parameters import Parameter
from greyhub.data.policy import Policy, import_string
from greyhub.data.rendering import Rendering, beside
from greyhub.wording import did_you_mean

CODE = {"alias": "intake.source.derived.AliasSource"}
"""Short names that Intake 1 had for classes that do more than read data."""

CATALOGS = frozenset({"yaml_file_cat", "intake.catalog.local:YAMLFileCatalog"})
"""The drivers of an entry that is a catalogue itself: the name, and what ``yaml()`` writes."""


def entries(document: Document) -> Iterator[Entry]:
    """The entries of a document, well-formed or not."""
    for name in document.section("sources"):
        yield FirstEntry(name, document, "sources")


class FirstEntry(Entry):
    """One source of a catalogue of Intake 1."""

    @property
    def spec(self) -> Mapping[str, Any]:
        """What the file says."""
        spec: Mapping[str, Any] = self.document.section("sources")[self.name]
        return spec

    @property
    def description(self) -> str:
        """The source's description, on one line."""
        return " ".join(str(self.spec.get("description") or "").split())

    @property
    def driver(self) -> str:
        """The driver's name; of several, the first."""
        driver = self.spec["driver"]
        if isinstance(driver, list):
            driver = driver[0]
        return str(driver)

    @property
    def is_catalog(self) -> bool:
        """Whether it stands for another catalogue, under either of the driver's names."""
        return import_string(self.driver) in CATALOGS

    @property
    def metadata(self) -> Mapping[str, Any]:
        """The source's metadata."""
        return self.spec.get("metadata") or {}

    @property
    def templated(self) -> Any:
        """The arguments, and the defaults of parameters."""
        return [self._arguments, [each.default for each in self.parameters.values()]]

    @property
    def _arguments(self) -> Mapping[str, Any]:
        return self.spec.get("args") or {}

    @property
    def parameters(self) -> Mapping[str, Parameter]:
        """Its own, and those that the catalogue declares for all."""
        shared = self.document.section("metadata").get("parameters") or {}
        if not isinstance(shared, Mapping):
            raise ValueError("those that the catalogue declares for all are no mapping")
        declared = {**shared, **(self.spec.get("parameters") or {})}
        for name, spec in declared.items():
            if not isinstance(spec, Mapping):
                raise ValueError(f"{name} is no mapping with a type and a default")
        return {name: from_first(name, spec) for name, spec in declared.items()}

    def misshapen(self, policy: Policy) -> Fault | None:
        """What is wrong with its form, or with the driver that it names."""
        spec: Any = self.document.section("sources")[self.name]
        if not isinstance(spec, Mapping):
            return self.fault("is no mapping", "give it a driver and args")
        if "cls" in spec:
            return self.fault("names a class with cls, which no catalogue may", "name a driver")
        driver = spec.get("driver")
        drivers = driver if isinstance(driver, list) else [driver]
        if not drivers or not all(isinstance(each, str) and each for each in drivers):
            return self.fault("has no driver", "say what opens it: driver: csv")
        for key in ("args", "metadata", "parameters"):
            if spec.get(key) is not None and not isinstance(spec[key], Mapping):
                return self.fault(f"has {key} that are no mapping")
        return None

    def missing(self, policy: Policy) -> Fault | None:
        """Its driver, or a package that its metadata names."""
        if not self.is_catalog and not self._drivers(policy):
            return self._without_driver(policy)
        absent = installed.absent(self.metadata.get("imports") or ())
        return self.needs(absent) if absent else None

    def _without_driver(self, policy: Policy) -> Fault:
        """Why its driver is not used: nothing brings it, or no catalogue may name it."""
        module, _, name = import_string(self.driver).rpartition(":")
        if name in CODE and not module:
            return self.fault(
                f"names {CODE[name]!r} as its driver, by its short name, and a catalogue may not "
                "name code",
                f"if it is to be allowed, write driver: {CODE[name]}, and "
                f"c.{policy.section}.readers = [{CODE[name]!r}]",
            )
        if not module:
            short = [each for each in installed.drivers() if ":" not in each]
            return self.fault(
                f"needs the driver {name!r}, and no installed package brings it"
                + did_you_mean(name, short, cutoff=0.75),
                "pip install the package that does in this environment (netcdf, zarr, opendap: "
                "intake-xarray; parquet: intake-parquet), or fix the name",
            )
        if absent := installed.absent([module.partition(".")[0]]):
            return self.needs(absent)
        return self.fault(
            f"names the class {self.driver!r} as its driver, and a catalogue may not name code",
            "if it does nothing but read data, allow it: "
            f"c.{policy.section}.readers = [{self.driver!r}]",
        )

    def _drivers(self, policy: Policy) -> list[EntryPoint]:
        """The registered drivers that the entry names: a class that is not one is not imported."""
        named = self.spec["driver"]
        names = [import_string(each) for each in (named if isinstance(named, list) else [named])]
        allowed = {import_string(each) for each in policy.readers}
        registered = installed.drivers()
        return [
            registered[name] if name in registered else EntryPoint(name, name, "intake.drivers")
            for name in names
            if name in registered or name in allowed
        ]

    def nested(self, policy: Policy) -> str | None:
        """The path of a catalogue."""
        if not self.is_catalog:
            return None
        path = self._arguments.get("path", self._arguments.get("urlpath"))
        if not isinstance(path, str):
            raise self.fault("is a catalogue without a path", "add args: {path: other.yaml}")
        filled = Rendering(self, policy, {}).text("path", path)
        return beside(filled, self.document.directory)

    def container(self, policy: Policy) -> str:
        """The driver's own word for it."""
        return str(self._load(policy).container)

    def _load(self, policy: Policy) -> Any:
        return self._drivers(policy)[0].load()

    def make(self, rendering: Rendering) -> Any:
        """The driver's source, with name and description."""
        values = rendering.values
        jinja = _Jinja(self, values, rendering.policy.section)

        def change(key: str, text: str) -> Any:
            return rendering.place(key, jinja.render(rendering.text(key, text)))

        arguments = templates.changed(self._arguments, change)
        # A parameter that is named like an argument is that argument.
        arguments.update({name: values[name] for name in values if name in arguments})
        metadata = {**self.metadata, "catalog_dir": self.document.directory}
        driver = self._load(rendering.policy)
        make = getattr(driver, "made_by", driver)  # whose arguments are not those of its class
        source = make(**{"metadata": metadata, **arguments})
        source.name, source.description = self.name, self.description
        return source


class _Jinja:
    """Jinja's expressions, in its sandbox: an expression sees the parameters and nothing else."""

    def __init__(self, entry: Entry, values: Mapping[str, Any], section: str) -> None:
        self._entry, self._values, self._section = entry, values, section
        self._environment: Any = None

    def render(self, text: str) -> str:
        if "{{" not in text:
            return text
        from jinja2 import StrictUndefined, TemplateError
        from jinja2.sandbox import ImmutableSandboxedEnvironment

        if self._environment is None:
            self._environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined)
            self._environment.globals.clear()
        try:
            found: str = self._environment.from_string(text).render(self._values)
        except TemplateError as error:
            raise self._entry.fault(
                f"cannot be filled in: {error.message}",
                "declare what stands in braces under parameters, or write it in capitals and "
                f"give it in c.{self._section}.parameters",
            ) from None
        return found
