"""Check catalogues on the hub: it reads their YAML, and never data."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from greyhub.adapter import Finding
from greyhub.addresses import WrongAddress, check_address
from greyhub.data.document import Fault
from greyhub.data.entries import Entry
from greyhub.data.hub_reader import HubReader
from greyhub.data.loading import Found, Source, load
from greyhub.data.policy import Policy
from greyhub.data.rendering import Rendering, local
from greyhub.errors import CatalogError
from greyhub.wording import number_of

MANY = 5
"""How many findings of one kind are told one by one."""


class CatalogCheck:
    """The catalogues as the hub last read them.

    Parameters
    ----------
    sources : callable
        Gives the prefix and path of each catalogue.
    policy : Policy
        What the platform gives to catalogues.
    servers_here : bool
        Whether servers run with the packages of this environment.
    """

    def __init__(
        self, sources: Callable[[], Sequence[Source]], policy: Policy, *, servers_here: bool = True
    ) -> None:
        self._sources, self._policy, self._here = sources, policy, servers_here
        self._found, self._reader, self._asked = Found(), HubReader(False, {}), 0
        self._stamps: dict[str, object] = {}

    def read(self, more: Sequence[Source] = (), **how: Any) -> Found:
        """Read the catalogues, and more of them; ``how`` as `HubReader` takes it.

        Raises
        ------
        Fault
            One is missing, cannot be read or is malformed, or two datasets have one name.
        """
        reader = HubReader(**{"urls": False, "held": {}, **how})
        sources = [*self._sources(), *more]
        found = load(sources, self._policy, reader)
        self._stamps = {path: _stamp(path) for path in reader.files}
        self._found, self._reader, self._asked = found, reader, len(sources)
        return found

    def refresh(self) -> None:
        """Read them again if a file has changed; one that is now wrong changes nothing here."""
        if any(_stamp(path) != stamp for path, stamp in self._stamps.items()):
            try:
                self.read()
            except CatalogError:
                return  # the notebook that opens it is told

    def faults(self) -> list[Fault]:
        """The entries that cannot be opened."""
        return list(self._found.broken.values())

    def label(self, catalogs: int) -> str:
        """``12 datasets in 2 catalogues``, as far as they are seen from here."""
        within = number_of("catalogue", catalogs)
        if not self._found.files:
            return within
        number = len(self._found.entries)
        least = "at least " if self._found.elsewhere or self._asked < catalogs else ""
        return f"{least}{number_of('dataset', number)} in {within}"

    def findings(
        self, more: Sequence[Source] = (), held: Mapping[str, tuple[str, bytes]] | None = None
    ) -> list[Finding]:
        """What is right and wrong with the catalogues and with more of them, for people."""
        try:
            found = self.read(more, urls=True, held=held or {})
        except Fault as fault:
            return [Finding("error", _said(fault), fault.fix)]
        missing = self._missing()
        lacking = Counter(found.entries[name].document.location for name in missing)
        counts = {path: number - lacking[path] for path, number in found.files.items()}
        findings = [
            Finding("ok", f"{path}: {number_of('dataset', number)}")
            for path, number in counts.items()
        ]
        findings += [self._unread(url) for url in found.elsewhere]
        findings += _shortened(
            [Finding("error", _said(fault), fault.fix) for fault in found.broken.values()]
        )
        findings += _shortened(
            [Finding("error", _said(fault), fault.fix) for fault in missing.values()]
        )
        if os.geteuid() == 0:
            findings += [
                each for path in self._reader.files if (each := _closed(path, "catalogue"))
            ]
        if self._here:
            findings += _shortened([each for name in found.entries for each in self._data(name)])
        findings += _shortened([each for name in found.entries for each in self._secrets(name)])
        return findings

    def _unread(self, url: str) -> Finding:
        if fault := self._reader.unread.get(url):
            return Finding("warning", f"{_said(fault)}, as the hub sees it", fault.fix)
        return Finding("note", f"{url}: not read by the hub")

    def _missing(self) -> dict[str, Fault]:
        """The datasets for which a package or a permission is missing where servers run."""
        if not self._here:
            return {}
        entries = self._found.entries.items()
        faults = {name: entry.missing(self._policy) for name, entry in entries}
        return {name: fault for name, fault in faults.items() if fault is not None}

    def _data(self, name: str) -> list[Finding]:
        """A dataset's files, if servers run on this machine: there, and open to all users?"""
        entry = self._found.entries[name]
        findings = []
        for url in self._urls(entry):
            if "://" in url:
                try:
                    check_address(url)
                except WrongAddress as wrong:
                    what = f"{entry.where}: {name!r}: {wrong.what}"
                    findings.append(Finding("error", what, wrong.fix))
        for path in self._paths(entry):
            if not os.path.exists(path):
                what = f"{entry.where}: {name!r} is not here: there is no {path}"
                fix = "fix the path, or look whether its disk is mounted"
                findings.append(Finding("error", what, fix))
            elif os.geteuid() == 0 and (closed := _closed(path, f"data of {name!r}")):
                findings.append(closed)
        return findings

    def _paths(self, entry: Entry) -> list[str]:
        """The local files that an entry names in full."""
        places = (local(url) for url in self._urls(entry))
        return [path for path in places if path and not any(mark in path for mark in "*?[{")]

    def _urls(self, entry: Entry) -> list[str]:
        """Where the data of an entry is, as far as that is known."""
        return Rendering(entry, self._policy, {}).places(entry.templated)

    def _secrets(self, name: str) -> list[Finding]:
        entry = self._found.entries[name]
        return [
            Finding(
                "note",
                f"{entry.where}: {name!r} says a secret in plain text ({key}), for all users",
                "name a variable of the user's instead, {env(NAME)}, and add it to the "
                "adapter's option environment",
            )
            for key in entry.secrets()
        ]


def _stamp(path: str) -> object:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _closed(path: str, what: str) -> Finding | None:
    """A file that only some users can read, told with what stands in the way."""
    file = Path(path).resolve()
    wanted = 0o005 if file.is_dir() else 0o004
    if file.stat().st_mode & wanted != wanted:
        return Finding("error", f"{file}: this {what} cannot be read by users", f"chmod o+r {file}")
    for above in file.parents:
        if not above.stat().st_mode & 0o001:
            return Finding(
                "error",
                f"{file}: this {what} cannot be reached by users: {above} lets nobody pass",
                f"chmod o+x {above}, or move it to a place such as /srv",
            )
    return None


def _said(fault: Fault) -> str:
    return f"{fault.where}: {fault.what}"


def _shortened(findings: list[Finding]) -> list[Finding]:
    rest = len(findings) - MANY
    if rest <= 0:
        return findings
    return [*findings[:MANY], Finding(findings[0].level, f"and {rest} more of this kind")]
