"""The user parameters of a dataset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from greyhub.data.parameter_kinds import CONVERT, in_order, leads_elsewhere


@dataclass(frozen=True)
class Parameter:
    """One declared parameter.

    Parameters
    ----------
    name : str
        The name that stands in braces in the catalogue.
    kind : str
        The type of its values, as Intake calls it.
    description : str
        What it is, for people.
    default : Any
        The value that is used if none is given; None if one must be given.
    allowed : Mapping, optional
        The only values that may be given, and what each stands for.
    minimum, maximum : Any
        The bounds, both of them allowed.
    many : bool
        Whether a value is a list of allowed ones.
    """

    name: str
    kind: str = "object"
    description: str = ""
    default: Any = None
    allowed: Mapping[Any, Any] | None = None
    minimum: Any = None
    maximum: Any = None
    many: bool = False

    def describe(self) -> dict[str, Any]:
        """What it is, as JSON values."""
        fields = {
            "name": self.name,
            "type": self.kind,
            "description": self.description,
            "default": self.default,
            "allowed": list(self.allowed) if self.allowed is not None else None,
            "min": self.minimum,
            "max": self.maximum,
        }
        return {
            key: value if isinstance(value, str | int | float | bool | list) else str(value)
            for key, value in fields.items()
            if value is not None
        }

    def default_value(self) -> Any:
        """The default, as it is put into the catalogue's templates.

        Raises
        ------
        ValueError
            There is none: a value must be given.
        """
        if self.default is None:
            choices = f", one of: {', '.join(map(str, self.allowed))}" if self.allowed else ""
            raise ValueError(f"{self.name} must be given ({self.kind}{choices})")
        if self.many or self.allowed is not None:
            return self.value(self.default)
        return self._converted(self.default)

    def value(self, given: Any) -> Any:
        """The value that a given one stands for.

        Raises
        ------
        ValueError
            It has the wrong type, is not allowed or out of bounds, or would lead elsewhere
            than the catalogue says.
        """
        if self.many:
            if isinstance(given, str) or not isinstance(given, list | tuple | set):
                raise self._wrong(given, "is not a list")
            return [self._one(each) for each in given]
        return self._one(given)

    def _one(self, given: Any) -> Any:
        found = self._converted(given)
        if self.allowed is not None:
            if not _hashable(found) or found not in self.allowed:
                names = ", ".join(str(each) for each in self.allowed)
                raise self._wrong(given, f"is not one of: {names}")
            return self.allowed[found]
        if self.minimum is not None and not in_order(self._converted(self.minimum), found):
            raise self._wrong(given, f"is less than {self.minimum}")
        if self.maximum is not None and not in_order(found, self._converted(self.maximum)):
            raise self._wrong(given, f"is more than {self.maximum}")
        # What the author chose may hold anything, and may also be given.
        if found != self.default and leads_elsewhere(found):
            why = "could lead to another file: / \\ * ? and such, or no text at all, are refused"
            raise self._wrong(given, why)
        return found

    def _converted(self, given: Any) -> Any:
        try:
            return CONVERT[self.kind](given)
        except (TypeError, ValueError, LookupError, OverflowError) as error:
            raise self._wrong(given, f"is no {self.kind}") from error

    def _wrong(self, given: Any, why: str) -> ValueError:
        return ValueError(f"{self.name}={given!r} {why}")


def _hashable(value: Any) -> bool:
    return getattr(value, "__hash__", None) is not None
