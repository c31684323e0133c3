"""The state of a working copy, as people and programs read it."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping
from heapq import nsmallest
from typing import Any, Final

from greyhub.homespace.sync import ranking
from greyhub.homespace.sync.quota import QUOTA
from greyhub.homespace.sync.working_copy import WorkingCopy

FILE: Final = "status.json"
COMPLETE: Final = "complete"
"""The journal's fact that all of a home has been here once."""
NAMED: Final = 20
"""Paths that are named; all of them are counted."""


class Report:
    """Says how a working copy is doing.

    Parameters
    ----------
    copy : WorkingCopy
        The copy.
    """

    def __init__(self, copy: WorkingCopy) -> None:
        self.copy = copy
        self.phase = "starting"
        self._written = 0.0
        self._said = ""
        self._last: Mapping[str, Any] = {}
        self._mentioned: set[str] = set()

    def state(self) -> dict[str, Any]:
        """All of it, as JSON values."""
        copy = self.copy
        unsaved, usage = copy.unsaved(), copy.context.usage
        reasons = {path: reason for path, reason in unsaved.items() if reason}
        full = any(reason.startswith(QUOTA) for reason in reasons.values())
        at_work = self.phase in ("starting", "restoring")
        saved = not (unsaved or at_work or copy.engine.trouble)
        progress = copy.progress
        return {
            "phase": self.phase,
            "word": self._word(saved=saved, full=full),
            "saved": saved,
            "complete": bool(copy.context.journal.fact(COMPLETE)),
            "unsaved": len(unsaved),
            "paths": [_readable(path) for path in nsmallest(NAMED, unsaved)],
            "reasons": {_readable(p): reasons[p] for p in nsmallest(NAMED, reasons)},
            "trouble": copy.engine.trouble,
            "visible": self.phase != "starting" and not self.waits_for_visible(),
            "progress": {
                "done": progress.done,
                "files": progress.files,
                "bytes": progress.bytes,
                "text": str(progress),
            },
            "files": usage.files,
            "bytes": usage.bytes,
            "quota": {"files": usage.quota.files, "bytes": usage.quota.bytes},
            "warning": usage.warning,
            "damaged": copy.context.manifest.damaged[:NAMED],
            "home": str(copy.context.tree.home),
            "store": copy.context.store.name,
            "pid": os.getpid(),
        }

    def _word(self, *, saved: bool, full: bool) -> str:
        """The state in one word, the worst first."""
        if self.copy.engine.trouble:
            return "offline"
        if full:
            return "quota"
        if self.phase in ("starting", "restoring"):
            return "restoring"
        return "saved" if saved else "saving"

    def complete(self) -> None:
        """All of the home has been here once: it can be worked with while its store is away."""
        self.copy.context.journal.set(COMPLETE, True)

    def waits_for_visible(self) -> bool:
        """Whether something is missing of what a user sees when the server opens."""
        if self.phase != "restoring":
            return False
        flying = [item for _, item in self.copy.engine.flying.copy().values()]
        if not self.copy.progress.files and not self.copy.progress.done:
            return True
        waiting = [*flying, *self.copy.queue.all()]
        return any(ranking.awaited(item.rank) and not item.stuck for item in waiting)

    def write(self, *, force: bool = False) -> None:
        """Write it into the state directory, for those who cannot ask; not all the time."""
        now = time.monotonic()
        if not force and now - self._written < 1.0:
            return
        self._written = now
        state = self.state()
        if state == self._last and not force:
            return
        self._last = state
        path = self.copy.context.journal.folder / FILE
        part = path.with_suffix(".part")
        part.write_text(json.dumps(state, indent=1) + "\n")
        part.replace(path)
        self._mention(state)

    def _mention(self, state: Mapping[str, Any]) -> None:
        """Tell the log what its reader should know, once each time that it comes true."""
        if self.phase == "restoring" and state["progress"]["files"] and not state["trouble"]:
            self.say(f"bringing the home down: {state['progress']['text']}")
        news = {
            "trouble": "the store does not answer as it should; what changes stays here until it "
            f"does: {state['trouble']}",
            "full": f"the quota is used up: {state['unsaved']:,} paths stay only here, among them "
            + ", ".join(state["paths"][:3]),
            "warning": f"nearly full: {state['warning']}",
        }
        true = {name for name in ("trouble", "warning") if state[name]}
        true |= {"full"} if state["word"] == "quota" else set()
        for name in sorted(true - self._mentioned):
            self.say(news[name])
        if "trouble" in self._mentioned - true:
            self.say("the store answers again")
        self._mentioned = true

    def say(self, line: str) -> None:
        """A line for the log, unless it is the last one again."""
        if line != self._said:
            self._said = line
            print(f"greyhub home: {line}", file=sys.stderr, flush=True)


def _readable(path: str) -> str:
    return path.encode(errors="surrogateescape").decode(errors="replace")
