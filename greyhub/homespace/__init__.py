"""The homespace slot: an fsspec filesystem rooted at the user's home.

Its base, `HomespaceAdapter`, is the hub's half and is loaded when it is asked for: neither a
notebook nor the process that keeps a home has any use for what it needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from greyhub.homespace.adapter import HomespaceAdapter

__all__ = ["HomespaceAdapter"]


def __getattr__(name: str) -> Any:
    if name not in (*__all__, "HomeAdapter"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from greyhub.homespace import adapter

    return getattr(adapter, name)
