"""The classes of the reference: greyhub's own, and those that its adapters bring."""

from __future__ import annotations

import re
from collections.abc import Iterator

from greyhub.checks.classes import brought_class
from greyhub.imports import import_object
from greyhub.slots import SLOTS, Slot


def classes() -> Iterator[tuple[str, type, str]]:
    """The classes of the reference: a heading, the class, and how it is chosen."""
    from greyhub.hub import GreyHub

    shared: dict[str, list[str]] = {}
    yield "The platform", GreyHub, "Always in use."
    for slot in SLOTS.values():
        base = slot.load_base()
        yield f"{slot.name}: anything else", base, _unwrapped(slot)
        for name, point in sorted(slot.adapters().items()):
            if point.dist is not None and point.dist.name != "greyhub":
                continue
            adapter = point.load()
            chosen = f'Chosen with `c.GreyHub.{slot.name} = "{name}"`.'
            yield f"{slot.name}: {name}", adapter, chosen
            brought = brought_class(adapter)
            if brought is not None and brought.__module__.startswith("greyhub."):
                yield f"{slot.name}: {name}, {brought.__name__}", brought, chosen
            for further in getattr(adapter, "reads", ()):
                shared.setdefault(further, []).append(f"{slot.name}: {name}")
    for further, readers in shared.items():
        cls = import_object(further)
        yield cls.__name__, cls, f"Read by {', '.join(readers)}."


def _unwrapped(slot: Slot) -> str:
    from greyhub.hub import GreyHub

    said = GreyHub.class_traits()[slot.name].help or ""
    opens = re.search(r"a class, or (.+?)\. None leaves", said)
    return f"In use when `c.GreyHub.{slot.name}` is {opens[1] if opens else 'a class'}."
