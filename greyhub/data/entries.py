"""One entry of a catalogue: validated without Intake, opened with it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from greyhub.data import templates
from greyhub.data.document import Document, Fault
from greyhub.data.parameters import Parameter
from greyhub.data.policy import Policy
from greyhub.data.rendering import Rendering


@dataclass(frozen=True)
class Entry(ABC):
    """One dataset, as a catalogue describes it.

    Parameters
    ----------
    name : str
        Its name in its own file.
    document : Document
        The file.
    section : str
        The section of the file in which it stands.
    """

    name: str
    document: Document
    section: str

    @property
    @abstractmethod
    def description(self) -> str:
        """What it is, for people."""

    @property
    @abstractmethod
    def driver(self) -> str:
        """What opens it, by Intake's name."""

    @property
    @abstractmethod
    def metadata(self) -> Mapping[str, Any]:
        """What else its catalogue says of it."""

    @property
    @abstractmethod
    def templated(self) -> Any:
        """Every value of it in which braces mean something."""

    @property
    @abstractmethod
    def parameters(self) -> Mapping[str, Parameter]:
        """What may be chosen when it is opened; ValueError if it is written wrongly."""

    @abstractmethod
    def misshapen(self, policy: Policy) -> Fault | None:
        """What is wrong with its form, or names a class that no catalogue may."""

    @abstractmethod
    def missing(self, policy: Policy) -> Fault | None:
        """What must be installed here before it can be opened."""

    @abstractmethod
    def nested(self, policy: Policy) -> str | None:
        """The location of the catalogue that it stands for, if it does."""

    @abstractmethod
    def container(self, policy: Policy) -> str:
        """The type that reading it gives, as far as Intake knows."""

    @abstractmethod
    def make(self, rendering: Rendering) -> Any:
        """Intake's own object for it."""

    @property
    def where(self) -> str:
        """The file and line."""
        return self.document.where(self.section, self.name)

    def fault(self, what: str, fix: str = "") -> Fault:
        """A fault of this entry: it begins with the name."""
        return Fault(f"{self.name!r} {what}", self.where, fix)

    def refusal(self, policy: Policy) -> Fault | None:
        """Why it cannot be opened on this platform; None if it can."""
        name: Any = self.name
        if not isinstance(name, str):
            return self.fault("is a name that is no text", f"put it in quotes: '{name}'")
        if fault := self.misshapen(policy):
            return fault
        try:
            declared = self.parameters
        except (ValueError, TypeError, LookupError, OverflowError) as error:
            return self.fault(f"has a parameter that is written wrongly: {error}")
        known = {"CATALOG_DIR", *policy.parameters, *declared}
        for key, text in templates.strings(self.templated):
            if code := templates.runs(text):
                return self.fault(f"would run code with {code}, which no catalogue may")
            for variable in templates.variables(text):
                if reason := policy.forbids_variable(variable):
                    return self.fault(f"is refused: {reason[0]}", reason[1])
            for name in templates.unfilled(text, dict.fromkeys(known)):
                return self.fault(
                    f"needs {{{name}}} in {key or 'it'}, which this platform does not give",
                    f"give it: c.{policy.section}.parameters = {{{name!r}: '/where/it/is'}}",
                )
        if _unpickles(self.templated):
            return self.fault("asks for allow_pickle, and a pickle runs code")
        return None

    def secrets(self) -> list[str]:
        """The keys under which it says a secret in plain text."""
        found = templates.strings(self.templated)
        return [key for key, text in found if templates.is_plain_secret(key, text)]

    def describe(self, policy: Policy) -> dict[str, Any]:
        """What is known of it without touching its data, as JSON values."""
        return {
            "name": self.name,
            "description": self.description,
            "driver": self.driver,
            "container": self.container(policy),
            "parameters": [each.describe() for each in self._choices(policy).values()],
            "metadata": _json(self.metadata),
            "catalog": self.where,
        }

    def open(self, policy: Policy, given: Mapping[str, Any]) -> Any:
        """Intake's own object, made with these parameters.

        Raises
        ------
        ValueError
            A parameter that is not declared, has no value, or has a wrong one.
        Fault
            Something that it needs is not here.
        """
        rendering = Rendering(self, policy, self._values(policy, given))
        try:
            return rendering.checked(self.make(rendering))
        except Fault:
            raise
        except ImportError as error:
            raise self.needs([error.name or str(error)]) from error
        except Exception as error:
            said = f"{type(error).__name__}: {error}"
            told = rendering.hidden(said)
            cause = error if told == said else None  # a chain would show what is hidden here
            raise self.fault(f"cannot be opened: {told}") from cause

    def needs(self, modules: list[str]) -> Fault:
        """The fault that packages are not installed."""
        names = ", ".join(modules)
        return self.fault(
            f"needs {names}, which is not installed here",
            f"pip install {' '.join(modules)} in this environment, and start the kernel again",
        )

    def _choices(self, policy: Policy) -> Mapping[str, Parameter]:
        """The parameters that are the user's: what the platform gives, it gives to all."""
        declared = self.parameters
        return {name: declared[name] for name in declared if name not in policy.parameters}

    def _values(self, policy: Policy, given: Mapping[str, Any]) -> dict[str, Any]:
        declared = self._choices(policy)
        for name in given:
            if name not in declared:
                choices = ", ".join(declared) or "it has none"
                raise ValueError(f"{self.name}: there is no parameter {name!r}: {choices}")
        defaults = Rendering(self, policy, {})
        try:
            return {
                name: parameter.value(given[name])
                if name in given
                else self._default(parameter, defaults)
                for name, parameter in declared.items()
            }
        except ValueError as error:
            raise ValueError(f"{self.name}: {error}") from None

    def _default(self, parameter: Parameter, rendering: Rendering) -> Any:
        if isinstance(parameter.default, str):
            filled = rendering.text(parameter.name, parameter.default)
            parameter = replace(parameter, default=filled)
        return parameter.default_value()


def _unpickles(value: Any) -> bool:
    if isinstance(value, Mapping):
        return bool(value.get("allow_pickle")) or any(_unpickles(each) for each in value.values())
    return isinstance(value, list | tuple) and any(_unpickles(each) for each in value)


def _json(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _json(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set):
        return [_json(each) for each in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)
