"""The user parameters of a dataset, in the formats of Intake 1 and Intake 2."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

_ELSEWHERE = re.compile(r"[/\\{}%?#*\[\]\x00-\x1f\x7f]|::|^\.\.?\Z|^~|^\Z")
"""What a value may not hold: it could lead to another file than the catalogue's author meant."""


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
        if self.minimum is not None and not _in_order(self._converted(self.minimum), found):
            raise self._wrong(given, f"is less than {self.minimum}")
        if self.maximum is not None and not _in_order(found, self._converted(self.maximum)):
            raise self._wrong(given, f"is more than {self.maximum}")
        # What the author chose may hold anything, and may also be given.
        if found != self.default and any(_ELSEWHERE.search(text) for text in _texts(found)):
            why = "could lead to another file: / \\ * ? and such, or no text at all, are refused"
            raise self._wrong(given, why)
        return found

    def _converted(self, given: Any) -> Any:
        try:
            return _CONVERT[self.kind](given)
        except (TypeError, ValueError, LookupError, OverflowError) as error:
            raise self._wrong(given, f"is no {self.kind}") from error

    def _wrong(self, given: Any, why: str) -> ValueError:
        return ValueError(f"{self.name}={given!r} {why}")


def from_first(name: str, spec: Mapping[str, Any]) -> Parameter:
    """A parameter of a catalogue of Intake 1.

    Raises
    ------
    ValueError
        It is of no type that Intake knows.
    """
    allowed = spec.get("allowed")
    kind = str(spec.get("type") or _kind_of(spec.get("default"))).partition("[")[0]
    return Parameter(
        name=name,
        kind=_known(kind),
        description=str(spec.get("description") or ""),
        default=spec.get("default"),
        allowed={_key(each, kind): each for each in allowed} if allowed else None,
        minimum=spec.get("min"),
        maximum=spec.get("max"),
        many=kind == "mlist",
    )


def from_second(name: str, spec: Any) -> Parameter:
    """A parameter of a catalogue of Intake 2; a plain value is a parameter with that default.

    Raises
    ------
    ValueError
        It is of no class or type that Intake knows.
    """
    if not isinstance(spec, Mapping):
        return Parameter(name=name, kind=_kind_of(spec), default=spec)
    module, _, cls = str(spec.get("cls", _MODULE + ":BaseUserParameter")).partition(":")
    if module != _MODULE or cls not in _CLASSES:
        raise ValueError(f"cls={spec.get('cls')!r} is no parameter of Intake's")
    kind = _known(str(spec.get("dtype", "object")))
    options, default = spec.get("options"), spec.get("default")
    if cls == "NamedOptionsUserParameter" and isinstance(options, Mapping):
        kind = _known(str(spec.get("keytype", "str")))
        # Intake writes the value that the default stands for, not its name.
        default = next((key for key, value in options.items() if value == default), default)
    return Parameter(
        name=name,
        kind=kind,
        description=str(spec.get("description") or ""),
        default=default,
        allowed=_options(options, kind) if "Option" in cls else None,
        minimum=spec.get("min", spec.get("min_value")),
        maximum=spec.get("max", spec.get("max_value")),
        many=cls == "MultiOptionUserParameter",
    )


_MODULE = "intake.readers.user_parameters"
_CLASSES = (
    "BaseUserParameter",
    "SimpleUserParameter",
    "OptionsUserParameter",
    "NamedOptionsUserParameter",
    "MultiOptionUserParameter",
    "BoundedNumberUserParameter",
)


def _options(options: Any, kind: str) -> dict[Any, Any]:
    if isinstance(options, Mapping):
        return dict(options)
    return {_key(each, kind): each for each in options or ()}


def _key(value: Any, kind: str) -> Any:
    return value if kind == "mlist" else _CONVERT.get(kind, _same)(value)


def _known(kind: str) -> str:
    if kind not in _CONVERT:
        raise ValueError(f"type {kind!r} is none of: {', '.join(_CONVERT)}")
    return kind


def _kind_of(value: Any) -> str:
    name = type(value).__name__
    return name if name in _CONVERT else "object"


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, list | tuple | set):
        return [text for each in value for text in _texts(each)]
    if isinstance(value, Mapping):
        return [text for each in value.values() for text in _texts(each)]
    return []


def _in_order(low: Any, high: Any) -> bool:
    # Written so that what is no number at all, NaN too, is outside every bound.
    try:
        return bool(low <= high)
    except TypeError:
        return False


def _hashable(value: Any) -> bool:
    return getattr(value, "__hash__", None) is not None


def _same(value: Any) -> Any:
    return value


def _text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise TypeError("not text")
    return value if isinstance(value, str) else str(value)


def _whole(value: Any) -> int:
    if isinstance(value, bool) or (isinstance(value, float) and value != int(value)):
        raise ValueError("not a whole number")
    return int(value)


def _truth(value: Any) -> bool:
    words = {"true": True, "false": False}
    return value if isinstance(value, bool) else words[str(value).lower()]


def _listed(value: Any) -> list[Any]:
    if isinstance(value, str):
        raise TypeError("text is no list")
    return list(value)


def _moment(value: Any) -> Any:
    from pandas import to_datetime  # type: ignore[import-untyped,unused-ignore]

    return to_datetime(value)


_CONVERT: Mapping[str, Callable[[Any], Any]] = {
    "str": _text,
    "unicode": _text,
    "int": _whole,
    "float": float,
    "bool": _truth,
    "datetime": _moment,
    "list": _listed,
    "mlist": _same,
    "tuple": _listed,
    "dict": dict,
    "object": _same,
    "other": _same,
}
