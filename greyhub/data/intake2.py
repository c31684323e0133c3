"""Read catalogues of Intake 2."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from greyhub.data import installed, templates
from greyhub.data.document import Document, Fault
from greyhub.data.entries import Entry
from greyhub.data.parameter_formats import from_second
from greyhub.data.parameters import Parameter
from greyhub.data.policy import Policy, import_string
from greyhub.data.rendering import Rendering, beside

CATALOG = "intake.readers.readers:YAMLCatalogReader"
"""The reader of an entry that is a catalogue itself."""

_REFERENCE = re.compile(r"\{?data\(([^)]+)\)\}?$")
_PARAMETER = re.compile(r"\{\{(\w+)\}\}|\{(\w+)(?::([^{}]*))?\}")


def entries(document: Document) -> Iterator[Entry]:
    """The entries of a document under the names that people use for them.

    Those are its aliases, the names of entries that have no alias, and the names
    of data that no entry reads.
    """
    aliases = document.section("aliases")
    readers, data = document.section("entries"), document.section("data")
    for alias, name in aliases.items():
        yield SecondEntry(alias, document, "aliases", target=name)
    named = set(map(str, aliases.values())) | set(map(str, aliases))
    for name in readers:
        if str(name) not in named:
            yield SecondEntry(name, document, "entries", target=name)
    read = {token for spec in readers.values() for token in _references(spec)}
    known = named | read | set(map(str, readers))
    for name in data:
        if str(name) not in known:
            yield SecondEntry(name, document, "data", target=name)


def _references(value: Any) -> list[str]:
    found = (_REFERENCE.match(text) for _, text in templates.strings(value))
    return [match[1] for match in found if match]


@dataclass(frozen=True)
class SecondEntry(Entry):
    """One reader of a catalogue of Intake 2, or data that the best reader is found for.

    Parameters
    ----------
    target : str
        The name of the description that it stands for; an alias has another name.
    """

    target: str

    @cached_property
    def parts(self) -> list[Mapping[str, Any]]:
        """Its own description, and those of everything that it refers to."""
        found: dict[str, Mapping[str, Any]] = {}
        names = [self.target]
        while names:
            name = names.pop()
            if name not in found:
                found[name] = self.part(name)
                names += _references(found[name].get("kwargs"))
        return list(found.values())

    def part(self, name: str) -> Mapping[str, Any]:
        """One description of the catalogue, by the name in ``{data(name)}``."""
        for section in ("entries", "data"):
            specs = self.document.section(section)
            if name in specs:
                spec: Mapping[str, Any] = specs[name]
                return spec
        raise self.fault(f"refers to {name!r}, which this catalogue does not have")

    @property
    def _spec(self) -> Mapping[str, Any]:
        return self.part(self.target)

    @property
    def description(self) -> str:
        """The description in its metadata, on one line."""
        return " ".join(str(self.metadata.get("description") or "").split())

    @property
    def driver(self) -> str:
        """The class of its reader, or of its data."""
        return str(self._spec.get("reader") or self._spec.get("datatype"))

    @property
    def metadata(self) -> Mapping[str, Any]:
        """The metadata of its data and its own."""
        found: dict[str, Any] = {}
        for spec in reversed(self.parts):
            found.update(spec.get("metadata") or {})
        return found

    @property
    def templated(self) -> Any:
        """The arguments of everything that it refers to, and the defaults of parameters."""
        arguments = [spec.get("kwargs") or {} for spec in self.parts]
        return [arguments, [each.default for each in self.parameters.values()]]

    @property
    def parameters(self) -> Mapping[str, Parameter]:
        """Those of the catalogue and of everything that it refers to, as far as it uses them."""
        declared = dict(self.document.section("user_parameters"))
        used = set()
        for spec in reversed(self.parts):
            declared.update(spec.get("user_parameters") or {})
            for _, text in templates.strings(spec.get("kwargs") or {}):
                used |= {name for _, name, _ in _PARAMETER.findall(text)}
        return {name: from_second(name, declared[name]) for name in declared if name in used}

    def misshapen(self, policy: Policy) -> Fault | None:
        """What is wrong with its form, or with a class that it or its data names."""
        try:
            parts = self.parts
        except Fault as fault:
            return fault
        except (AttributeError, TypeError):
            return self.fault("is no mapping", "give it a reader and kwargs")
        faults = (self._misshapen(spec, policy) for spec in parts)
        return next((fault for fault in faults if fault is not None), None)

    def _misshapen(self, spec: Mapping[str, Any], policy: Policy) -> Fault | None:
        for key in ("kwargs", "metadata", "user_parameters"):
            if spec.get(key) is not None and not isinstance(spec[key], Mapping):
                return self.fault(f"has {key} that are no mapping")
        if "cls" in spec:
            return self.fault("names a class with cls, which no catalogue may", "name a reader")
        for key, allows in (
            ("reader", policy.allows_reader),
            ("datatype", policy.allows_datatype),
        ):
            name = spec.get(key)
            if key in spec and not (isinstance(name, str) and allows(import_string(name))):
                return self.fault(
                    f"names the {key} {name!r}, which catalogues may not",
                    "if it does nothing but read data, allow it: "
                    f"c.{policy.section}.readers = [{name!r}]",
                )
        data = (spec.get("kwargs") or {}).get("data", "data()")
        if "reader" in spec and not str(data).startswith(("{data(", "data(")):
            return self.fault("has data that is no reference", 'write data: "{data(name)}"')
        if "reader" not in spec and "datatype" not in spec:
            return self.fault("has no reader", f"say what opens it: reader: {_EXAMPLE}")
        return None

    def missing(self, policy: Policy) -> Fault | None:
        """A package that its readers or its metadata name."""
        wanted = set(self.metadata.get("imports") or ())
        for spec in self.parts:
            for key, base in (("reader", "BaseReader"), ("datatype", "BaseData")):
                if name := spec.get(key):
                    try:
                        wanted |= set(getattr(_load(name, base), "imports", ()))
                    except ImportError as error:
                        return self.needs([error.name or name])
                    except (AttributeError, TypeError):
                        return self.fault(f"names the {key} {name!r}, which Intake does not have")
        absent = installed.absent(sorted(wanted))
        return self.needs(absent) if absent else None

    def nested(self, policy: Policy) -> str | None:
        """The URL of a catalogue file."""
        if import_string(self.driver) != CATALOG:
            return None
        urls = [(spec.get("kwargs") or {}).get("url") for spec in self.parts if "datatype" in spec]
        if len(urls) != 1 or not isinstance(urls[0], str):
            raise self.fault("is a catalogue without a url", "give its data a url")
        filled = Rendering(self, policy, {}).text("url", urls[0])
        return beside(filled, self.document.directory)

    def container(self, policy: Policy) -> str:
        """The type that its reader produces, as Intake writes it."""
        if "reader" not in self._spec:
            return ""
        return str(_load(self.driver, "BaseReader").output_instance or "")

    def make(self, rendering: Rendering) -> Any:
        """The reader. Intake sees no braces: everything is filled in."""
        return _Assembly(self, rendering).reader(self.target)


class _Assembly:
    """Makes a reader, and what it refers to, each once."""

    def __init__(self, entry: SecondEntry, rendering: Rendering) -> None:
        self._entry, self._rendering = entry, rendering
        self._made: dict[str, Any] = {}

    def reader(self, name: str) -> Any:
        made = self._make(name)
        if hasattr(made, "read"):
            return made
        readers = [
            cls
            for cls in made.possible_readers["importable"]
            if self._rendering.policy.allows_reader(cls.qname())
        ]
        for cls in sorted(readers, key=_preference):
            return cls(made, metadata=made.metadata)
        raise self._entry.fault("is data that no installed reader opens", "add an entry for it")

    def _make(self, name: str) -> Any:
        if name in self._made:
            if self._made[name] is None:
                raise self._entry.fault(f"refers to itself by way of {name!r}")
            return self._made[name]
        self._made[name] = None
        spec = self._entry.part(name)
        base = "BaseReader" if "reader" in spec else "BaseData"
        cls = _load(spec.get("reader") or spec["datatype"], base)
        arguments = templates.changed(spec.get("kwargs") or {}, self._change)
        positional = arguments.pop("args", [])
        arguments.pop("output_instance", None)  # Intake would import what it names
        metadata = dict(spec.get("metadata") or {})
        self._made[name] = cls(*positional, metadata=metadata, **arguments)
        return self._made[name]

    def _change(self, key: str, text: str) -> Any:
        reference = _REFERENCE.match(text)
        if reference:
            return self._make(reference[1])
        filled = self._rendering.text(key, text)
        return self._rendering.place(key, fill(filled, self._rendering.values))


def fill(text: str, values: Mapping[str, Any]) -> Any:
    """A text with parameters filled in; one that is a parameter alone becomes its value."""
    alone = _PARAMETER.fullmatch(text)
    if alone and alone[2] in values and not alone[3]:
        return values[alone[2]]

    def value(match: re.Match[str]) -> str:
        if match[1]:
            return f"{{{match[1]}}}"
        return format(values[match[2]], match[3] or "") if match[2] in values else match[0]

    return _PARAMETER.sub(value, text)


def _preference(reader: Any) -> tuple[bool, str]:
    # Intake's own order is that of a set, another one in each process.
    return not reader.__name__.startswith(("Pandas", "XArray")), reader.__name__


_EXAMPLE = "intake.readers.readers:PandasCSV"


def _load(name: str, base: str) -> Any:
    """A class of Intake's, or of a reader that the administrator allows.

    Raises
    ------
    TypeError
        It is no such class.
    """
    import intake

    cls = intake.import_name(import_string(name))
    if not (isinstance(cls, type) and issubclass(cls, getattr(intake, base))):
        raise TypeError(f"{name} is no {base}")
    return cls
