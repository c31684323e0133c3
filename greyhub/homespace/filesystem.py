"""The filesystem that ``hub.home`` is."""

from __future__ import annotations

from html import escape
from typing import Any

from fsspec.implementations.dirfs import DirFileSystem
from fsspec.implementations.local import LocalFileSystem


class Home(DirFileSystem):  # type: ignore[misc]
    """A local directory as a fsspec filesystem rooted there.

    Parameters
    ----------
    path : str
        The home's directory.
    """

    def __init__(self, path: str, **options: Any) -> None:
        super().__init__(path=path, fs=LocalFileSystem(auto_mkdir=True), **options)

    def __repr__(self) -> str:
        return f"<home at {self.path}: {len(self.ls('', detail=False))} entries>"

    def _repr_html_(self) -> str:
        rows = "".join(f"<li>{escape(name)}</li>" for name in sorted(self.ls("", detail=False)))
        return f"<strong>home at {escape(self.path)}</strong><ul>{rows}</ul>"
