"""One's own clusters: to list, join and end them, also those of another server or kernel."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from html import escape
from typing import Any, overload


@dataclass(frozen=True)
class ClusterEntry:
    """A cluster, as it was when `greyhub.session.Session.clusters` was called."""

    name: str
    """Its name, by which it is found again."""

    status: str
    """``pending`` or ``running``."""

    started: datetime | None = None
    """When it was asked for; None if that is not known."""

    workers: int | None = None
    """How many workers it has; None if that is not known."""

    server: str | None = None
    """The name of the server that made it, ``""`` for the default one; None if unknown."""

    _join: Callable[..., Any] = field(repr=False, default=lambda: None)
    _end: Callable[[], Any] = field(repr=False, default=lambda: None)

    def join(self, **options: Any) -> Any:
        """The cluster. Its ``close`` lets go of it and does not end it: ``shutdown`` does."""
        return self._join(**options)

    def end(self) -> None:
        """End it, whoever works with it."""
        self._end()

    def facts(self) -> tuple[str, ...]:
        """What a table shows of it."""
        server = "" if self.server is None else self.server or "(default)"
        workers = "" if self.workers is None else str(self.workers)
        started = self.started.isoformat(" ", "minutes") if self.started else ""
        return self.name, self.status, started, workers, server


class ClusterList(Sequence[ClusterEntry]):
    """One's own clusters, the oldest first. An entry is got by its number or its name."""

    heads = ("name", "status", "started", "workers", "server")

    def __init__(self, entries: Iterable[ClusterEntry] = ()) -> None:
        self._entries = sorted(entries, key=lambda each: each.started or datetime.min)

    @overload
    def __getitem__(self, which: int | str) -> ClusterEntry: ...

    @overload
    def __getitem__(self, which: slice) -> Sequence[ClusterEntry]: ...

    def __getitem__(self, which: Any) -> Any:
        if not isinstance(which, str):
            return self._entries[which]
        for each in self._entries:
            if each.name == which:
                return each
        raise KeyError(f"no cluster of yours is named {which!r}")

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        if not self._entries:
            return "no clusters"
        rows = [self.heads, *(each.facts() for each in self._entries)]
        widths = [max(len(row[column]) for row in rows) for column in range(len(self.heads))]
        return "\n".join(
            "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
            for row in rows
        )

    def _repr_html_(self) -> str:
        if not self._entries:
            return "no clusters"

        def row(texts: Iterable[str], tag: str) -> str:
            cells = (f"<{tag} style='text-align:left'>{escape(text)}</{tag}>" for text in texts)
            return f"<tr>{''.join(cells)}</tr>"

        rows = "".join(row(each.facts(), "td") for each in self._entries)
        return f"<table>{row(self.heads, 'th')}{rows}</table>"


class JoinedCluster:
    """A cluster of this process's, joined: its ``close`` does not end it."""

    def __init__(self, cluster: Any) -> None:
        self._cluster = cluster

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cluster, name)

    def close(self, shutdown: bool = False) -> Any:
        """Let go of it; with ``shutdown``, end it."""
        return self._cluster.close() if shutdown else None

    def shutdown(self) -> Any:
        """End it."""
        return self.close(shutdown=True)

    def __enter__(self) -> JoinedCluster:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return repr(self._cluster)

    def _repr_html_(self) -> Any:
        return self._cluster._repr_html_()


def of_this_process(clusters: Iterable[Any]) -> ClusterList:
    """Those of some cluster objects that are not closed."""
    server = os.environ.get("JUPYTERHUB_SERVER_NAME")
    entries = []
    for each in list(clusters):
        status = getattr(each.status, "name", str(each.status))
        if status in ("closed", "closing", "failed"):
            continue
        entries.append(
            ClusterEntry(
                name=str(each.name),
                status=status,
                started=getattr(each, "started", None),
                workers=len(getattr(each, "scheduler_info", {}).get("workers", {})),
                server=server,
                _join=lambda cluster=each: JoinedCluster(cluster),
                _end=each.close,
            )
        )
    return ClusterList(entries)
