"""The parameters of catalogues of Intake 1 and Intake 2."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from greyhub.data.parameter_kinds import CONVERT, kind_of, known, same
from greyhub.data.parameters import Parameter


def from_first(name: str, spec: Mapping[str, Any]) -> Parameter:
    """A parameter of a catalogue of Intake 1.

    Raises
    ------
    ValueError
        It is of no type that Intake knows.
    """
    allowed = spec.get("allowed")
    kind = str(spec.get("type") or kind_of(spec.get("default"))).partition("[")[0]
    return Parameter(
        name=name,
        kind=known(kind),
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
        return Parameter(name=name, kind=kind_of(spec), default=spec)
    module, _, cls = str(spec.get("cls", _MODULE + ":BaseUserParameter")).partition(":")
    if module != _MODULE or cls not in _CLASSES:
        raise ValueError(f"cls={spec.get('cls')!r} is no parameter of Intake's")
    kind = known(str(spec.get("dtype", "object")))
    options, default = spec.get("options"), spec.get("default")
    if cls == "NamedOptionsUserParameter" and isinstance(options, Mapping):
        kind = known(str(spec.get("keytype", "str")))
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
    return value if kind == "mlist" else CONVERT.get(kind, same)(value)
