"""Random operations on a home, by hypothesis, each compared with a dictionary of files."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from greyhub.conformance.homespace.atomic import Meanwhile, killed_writer
from greyhub.conformance.homespace.backend_files import empty
from greyhub.conformance.homespace.case import Backend, Home, HomespaceCase
from greyhub.conformance.record import shorten

SECONDS, AT_MOST = 2.0, 5.0
"""How long programs are tried: of this process's work, and by the clock."""

KILLED = 5
"""How many writers are killed, each in a process of its own."""

PATHS = ("a", "c*", "d/a", "d/é f", "d/e/a", "d2/a")
FOLDERS = ("d", "d2", "d/e")

paths = st.sampled_from(PATHS)
contents = st.binary(max_size=20) | st.just(b"long" * 5000)
several = st.lists(st.tuples(paths, contents), min_size=1, max_size=3)
some = st.integers(0, 50)


class Search:
    """What is common to the programs of one search: the clients, the time, the shortest failure."""

    def __init__(self, case: HomespaceCase) -> None:
        self.case = case
        self.work_ends = time.process_time() + SECONDS
        self.ends = time.monotonic() + AT_MOST * case.patience
        self.home: Home = case.home()
        self.backend: Backend = case.backend()
        self.programs = self.steps = 0
        self.kills = KILLED
        self.error: Exception | None = None
        self.record: tuple[list[str], list[str], list[str]] = ([], [], [])

    def over(self) -> bool:
        """Whether the time is over."""
        return time.process_time() > self.work_ends or time.monotonic() > self.ends

    def begin(self) -> None:
        """A program begins: its record is its own."""
        self.programs += 1
        record = self.case.record
        record.done, record.said, record.saw = [], [], []
        empty(self.backend.raw)

    def failed(self, error: Exception) -> None:
        """A program failed; it is kept if none that failed was as short."""
        record = self.case.record
        if self.error is None or len(record.done) <= len(self.record[0]):
            self.error = error
            self.record = (record.done, record.said, record.saw)

    def tell(self) -> None:
        """Let the case tell the shortest failure, or how much was tried."""
        record = self.case.record
        record.done, record.said, record.saw = self.record
        record.done = record.done or [f"{self.programs} programs of {self.steps} steps together"]


def operation(**values: Any) -> Callable[[Callable[..., None]], Any]:
    """A rule of hypothesis's that does nothing any more when the time is over."""

    def make(act: Callable[..., None]) -> Any:
        @wraps(act)
        def once(self: Program, **chosen: Any) -> None:
            if not self.search.over():
                act(self, **chosen)

        decorate: Any = rule(**values)
        return decorate(once)

    return make


class Program(RuleBasedStateMachine):
    """One program: steps on a home, each compared with a dictionary."""

    def __init__(self, search: Search) -> None:
        super().__init__()
        self.search, self.case = search, search.case
        self.files: dict[str, bytes] = {}
        self.killed, self.moved = False, 0
        search.begin()

    @contextmanager
    def step(self, what: str) -> Iterator[Home]:
        """Let something be done, and compare."""
        self.search.steps += 1
        self.case.did(what)
        try:
            yield self.search.home
            self.compare()
        except Exception as error:
            self.search.failed(error)
            raise

    def compare(self) -> None:
        """The backend and the listings hold what the dictionary holds."""
        held = self.search.backend.content()
        if self.killed:
            held = {path: content for path, content in held.items() if path in self.files}
        wrong = [path for path in {*held, *self.files} if held.get(path) != self.files.get(path)]
        found = {path: shorten(held.get(path)) for path in wrong[:3]}
        self.case.require(not wrong, f"the backend should not have {found}")
        listed = set(self.search.home.find(""))
        odd = sorted(listed ^ self.files.keys())
        self.case.require(not odd, f"find differs by {odd}")
        for path in list(self.files)[-2:]:
            self.case.equal(self.search.home.cat_file(path), self.files[path], f"{path} is read as")

    def known(self, number: int) -> str:
        """One of the files that there are."""
        return sorted(self.files)[number % len(self.files)]

    def below(self, folder: str) -> list[str]:
        """The files in a folder."""
        return [path for path in self.files if path.startswith(f"{folder}/")]

    @operation(path=paths, content=contents, how=st.sampled_from(("pipe", "open", "blocks")))
    def write(self, path: str, content: bytes, how: str) -> None:
        """Write a file in one of three ways."""
        with self.step(f"write {path} by {how}") as home:
            self.files[path] = content
            if how == "pipe":
                home.pipe_file(path, content)
            elif how == "open":
                home.write(path, content)
            else:
                with home.open(path, "wb") as file:
                    for at in range(0, len(content), 7000):
                        file.write(content[at : at + 7000])
                        file.flush()

    @operation(path=paths, content=contents)
    def add(self, path: str, content: bytes) -> None:
        """Add to a file, where that is claimed."""
        if self.case.claims("append"):
            with self.step(f"add to {path}") as home:
                self.files[path] = self.files.get(path, b"") + content
                home.write(path, content, "ab")

    @operation(path=paths, content=contents, opened=st.booleans())
    def create(self, path: str, content: bytes, opened: bool) -> None:
        """Create a file, where that is claimed; if it is there, that is refused."""
        if self.case.claims("exclusive_create"):
            with self.step(f"create {path}") as home:

                def make() -> None:
                    if opened:
                        home.write(path, content, "xb")
                    else:
                        home.pipe_file(path, content, mode="create")

                if path in self.files:
                    self.case.raises(FileExistsError, make)
                else:
                    self.files[path] = content
                    make()

    @precondition(lambda self: self.files)
    @operation(number=some, many=st.booleans())
    def remove(self, number: int, many: bool) -> None:
        """Remove a file."""
        path = self.known(number)
        with self.step(f"remove {path}") as home:
            del self.files[path]
            (home.rm if many else home.rm_file)(path)

    @operation(path=paths)
    def remove_missing(self, path: str) -> None:
        """Remove what is not there."""
        if path not in self.files:
            with self.step(f"remove {path}, which is not there") as home:
                self.case.raises(FileNotFoundError, home.rm_file, path)

    @precondition(lambda self: self.files)
    @operation(number=some, to=paths, copied=st.booleans())
    def transfer(self, number: int, to: str, copied: bool) -> None:
        """Copy or move a file, also over another one."""
        source = self.known(number)
        if source != to:
            with self.step(f"{'copy' if copied else 'move'} {source} to {to}") as home:
                self.files[to] = self.files[source]
                if copied:
                    home.cp_file(source, to)
                else:
                    del self.files[source]
                    home.mv(source, to)

    @precondition(lambda self: self.files)
    @operation(number=some)
    def write_below(self, number: int) -> None:
        """Write as if a file were a folder: that is refused."""
        path = f"{self.known(number)}/x"
        with self.step(f"write {path}, below a file") as home:
            self.case.raises(OSError, home.pipe_file, path, b"x")

    @operation(folder=st.sampled_from(FOLDERS))
    def remove_folder(self, folder: str) -> None:
        """Remove a folder with all that it holds."""
        if self.below(folder):
            with self.step(f"remove the folder {folder}") as home:
                for path in self.below(folder):
                    del self.files[path]
                home.rm(folder, recursive=True)

    @operation(folder=st.sampled_from(FOLDERS))
    def move_folder(self, folder: str) -> None:
        """Move a folder, where that is claimed."""
        if self.below(folder) and self.case.claims("directories"):
            with self.step(f"move the folder {folder}") as home:
                self.moved += 1
                target = f"moved{self.moved}"
                for path in self.below(folder):
                    self.files[target + path[len(folder) :]] = self.files.pop(path)
                home.mv(folder, target, recursive=True)

    @operation(path=paths, content=contents)
    def other_writes(self, path: str, content: bytes) -> None:
        """Another client writes."""
        if not self.case.claims("staleness"):
            with self.step(f"another client, {path}"):
                self.files[path] = content
                self.search.backend.put(path, content)

    @precondition(lambda self: self.files)
    @operation(number=some)
    def other_removes(self, number: int) -> None:
        """Another client removes."""
        path = self.known(number)
        if not self.case.claims("staleness"):
            with self.step(f"another client, {path}"):
                del self.files[path]
                self.search.backend.remove(path)

    @operation(path=paths, content=contents)
    def fail(self, path: str, content: bytes) -> None:
        """A writer fails half-way."""
        step = self.step(f"fail while writing {path}")
        with step as home, suppress(Meanwhile), home.open(path, "wb") as file:
            file.write(content)
            raise Meanwhile

    @operation(path=paths)
    def kill(self, path: str) -> None:
        """A writer in another process is killed half-way. A few times: it takes its time."""
        if self.search.kills > 0:
            with self.step(f"kill a writer of {path}"):
                self.search.kills -= 1
                self.killed = True
                killed_writer(self.case, path, b"half " * 1000)

    @operation(writes=several, fails=st.booleans())
    def transaction(self, writes: list[tuple[str, bytes]], fails: bool) -> None:
        """Several files in a transaction, which may fail."""
        with self.step(f"a transaction that {'fails' if fails else 'ends well'}") as home:
            with suppress(Meanwhile), home.transaction():
                for path, content in dict(writes).items():
                    home.write(path, content)
                if fails:
                    raise Meanwhile
            if not fails:
                self.files.update(writes)

    @operation()
    def new_client(self) -> None:
        """The home is opened anew."""
        with self.step("open the home anew"):
            self.search.home = self.case.home()
