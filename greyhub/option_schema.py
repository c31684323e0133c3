"""The JSON Schema of an option's values, as far as JSON can say it."""

from __future__ import annotations

from typing import Any

import traitlets
from traitlets import TraitType

_JSON: tuple[tuple[type, dict[str, Any]], ...] = (
    (traitlets.Bool, {"type": "boolean"}),
    (traitlets.Integer, {"type": "integer"}),
    (traitlets.Float, {"type": "number"}),
    (traitlets.Unicode, {"type": "string"}),
)


def schema_of(trait: TraitType[Any, Any]) -> dict[str, Any]:
    """The JSON Schema of an option's values, as far as JSON can say it."""
    found = _shape(trait)
    if trait.allow_none and "type" in found:
        found = {"anyOf": [found, {"type": "null"}]}
    return found


def _shape(trait: Any) -> dict[str, Any]:
    if isinstance(trait, traitlets.Enum):
        return {"enum": list(trait.values or ())}
    if isinstance(trait, traitlets.Union):
        return {"anyOf": [_shape(each) for each in trait.trait_types]}
    if isinstance(trait, traitlets.Dict):
        inner = getattr(trait, "_value_trait", None)
        return {"type": "object"} | ({"additionalProperties": _shape(inner)} if inner else {})
    if isinstance(trait, traitlets.List | traitlets.Set | traitlets.Tuple):
        inner = getattr(trait, "_trait", None)
        shape = {"type": "array"} | ({"items": _shape(inner)} if inner else {})
        return shape | ({"uniqueItems": True} if isinstance(trait, traitlets.Set) else {})
    for kind, shape in _JSON:
        if isinstance(trait, kind):
            limits = (("minimum", "min"), ("maximum", "max"))
            return shape | {
                key: value
                for key, name in limits
                if isinstance(value := getattr(trait, name, None), int | float)
            }
    return {}
