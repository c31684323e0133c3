"""What a clause of the homespace slot is given: clients of homes, and a view of the backend."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from greyhub.conformance.case import Case, TimedOut
from greyhub.conformance.homespace.suite import HomespaceSuite
from greyhub.conformance.record import shorten
from greyhub.conformance.testkit.fork import Fork
from greyhub.conformance.testkit.interleaving import Outcome, Step, races, stepping

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

Value = TypeVar("Value")


class HomespaceCase(Case):
    """One clause's homes. Its users are new ones: ``ada`` is another in each clause."""

    suite: HomespaceSuite

    def user(self, who: str = "ada") -> str:
        """The name in the backend of who plays a part in this clause."""
        return self.suite.user(who, self.clause.id)

    def home(self, who: str = "ada", *, proxied: bool = False) -> Home:
        """A new client of a user's home; through the proxy, if there is one, where told so."""
        user = self.user(who)
        self.suite.use(user)
        return self.opened(user, proxied=proxied)

    def opened(self, user: str, *, proxied: bool = False) -> Home:
        """A client of the home of exactly this user, whom nobody clears up after."""
        filesystem = self.call(f"make({user!r})", self.suite.open, user, proxied=proxied)
        return Home(self, filesystem)

    def other_process(self, who: str = "ada") -> OtherProcess:
        """A new client of a user's home in another process."""
        user = self.user(who)
        self.suite.use(user)
        return OtherProcess(self, user)

    def backend(self, who: str = "ada") -> Backend:
        """A user's files as the backend has them."""
        user = self.user(who)
        self.suite.use(user)
        return Backend(self, user)

    def bytes(self, number: int) -> bytes:
        """Random content: no part of it looks like another."""
        return self.random.randbytes(number)

    def fault(self, kind: str, moment: str = "any", **how: Any) -> AbstractContextManager[Any]:
        """Break the backend while a block lasts; see the suite's `fault`."""
        self.did(f"the backend: {kind} ({moment})")
        broken: AbstractContextManager[Any] = self.hook("fault", kind, moment, **how)
        return broken

    def stepping(self, step: Step) -> AbstractContextManager[Any]:
        """Call a function at each step that a proxied home takes towards its backend."""
        return stepping(self.suite.proxy if self.suite.endpoint else None, step)

    def races(
        self, first: Callable[[int], Any], second: Callable[[int], Any]
    ) -> Iterator[tuple[int, Outcome, Outcome]]:
        """Two calls, the second in the midst of the first, at each of its steps."""
        return races(self.stepping, self.random, first, second)


class Home:
    """A client of a home. Every call is the adapter's own, and is noted.

    Whatever the filesystem has can be called on it; `open`, `transaction` and
    what they give are watched too.
    """

    def __init__(self, case: HomespaceCase, filesystem: AbstractFileSystem) -> None:
        self.case, self.fs = case, filesystem

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.fs, name)
        if not callable(found):
            return found

        def method(*args: Any, **kwargs: Any) -> Any:
            return self.case.call(shown(name, args, kwargs), found, *args, **kwargs)

        method.__name__ = name
        return method

    def open(self, path: str, mode: str = "rb", **options: Any) -> File:
        """Open a file."""
        name = shown("open", (path, mode), options)
        return File(self.case, name, self.case.call(name, self.fs.open, path, mode, **options))

    def read(self, path: str, mode: str = "rb", **options: Any) -> Any:
        """All of a file, by `open`."""
        with self.open(path, mode, **options) as file:
            return file.read()

    def write(self, path: str, content: Any, mode: str = "wb", **options: Any) -> None:
        """Write a file, by `open`."""
        with self.open(path, mode, **options) as file:
            file.write(content)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """A transaction."""
        transaction = self.case.call("transaction", lambda: self.fs.transaction)
        self.case.call("the transaction's begin", transaction.__enter__)
        try:
            yield
        except BaseException as error:
            how = (type(error), error, error.__traceback__)
            self.case.call("the transaction's end", transaction.__exit__, *how)
            raise
        self.case.call("the transaction's end", transaction.__exit__, None, None, None)

    def names(self, path: str = "") -> list[str]:
        """The names that `ls` gives, sorted."""
        return sorted(self.ls(path, detail=False))

    def put(self, path: str, content: bytes) -> None:
        """Write a file, by `put_file`."""
        self.put_file(self.local(content), path)

    def local(self, content: bytes) -> str:
        """A file of this machine with such content. Made once: later the disk may be full."""
        place = self.case.directory / f"local-{hashlib.sha256(content).hexdigest()[:12]}"
        if not place.exists():
            place.write_bytes(content)
        return str(place)

    def ways(self, *content: bytes) -> dict[str, Callable[[str, bytes], None]]:
        """All ways to write a whole file of ASCII; what is to be put must be known before."""
        for each in content:
            self.local(each)
        return {
            "open": self.write,
            "open as text": lambda path, content: self.write(path, content.decode(), "w"),
            "pipe_file": self.pipe_file,
            "pipe": lambda path, content: self.pipe({path: content}),
            "put_file": self.put,
        }


class OtherProcess:
    """A client of a home in another process, forked when it is made."""

    def __init__(self, case: HomespaceCase, user: str) -> None:
        self.case = case
        self.fork = case.enter(Fork(lambda: _HELD.append(case.suite.open(user))))
        case.call("a client in another process", self.fork.result, 10 * case.patience)

    def pipe_file(self, path: str, content: bytes, **how: Any) -> None:
        """Write a file."""
        name = f"in another process, {shown('pipe_file', (path, content), how)}"
        self.case.call(name, self.fork.call, _piped_there, path, content, how)


_HELD: list[AbstractFileSystem] = []


def _piped_there(path: str, content: bytes, how: Mapping[str, Any]) -> None:
    _HELD[-1].pipe_file(path, content, **how)


class File:
    """An open file of a home."""

    def __init__(self, case: HomespaceCase, name: str, file: Any) -> None:
        self.case, self.name, self.file = case, name, file
        self.entered: Any = None

    def __enter__(self) -> File:
        self.entered = self.case.call(f"{self.name}.__enter__()", self.file.__enter__)
        return self

    def __exit__(self, *how: Any) -> None:
        name = f"{self.name}.close()" if how[0] is None else f"{self.name} after {how[1]!r}"
        self.case.call(name, self.file.__exit__, *how)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.entered or self.file, name)
        if not callable(found):
            return found

        def method(*args: Any) -> Any:
            return self.case.call(f"{self.name}{shown(f'.{name}', args)}", found, *args)

        return method


class Backend:
    """A home as it is in the backend, seen through the hook."""

    def __init__(self, case: HomespaceCase, user: str) -> None:
        self.case, self.user = case, user
        self.raw = case.hook("raw", user)

    def _look(self, what: str, look: Callable[[], Value]) -> Value:
        from greyhub.conformance.case import HookError

        try:
            return look()
        except (TimedOut, KeyboardInterrupt):
            raise
        except BaseException as error:
            raise HookError(f"raw({self.user!r}){what} raised {error!r}") from error

    def peek(self, path: str) -> bytes | None:
        """A file's content, or None if it is not there; not noted."""
        content: bytes | None = self._look(f"[{path!r}]", lambda: self.raw.get(path))
        return content

    def get(self, path: str) -> bytes | None:
        """A file's content, or None if it is not there."""
        content = self.peek(path)
        self.case.saw(f"{path}: {shorten(content)}")
        return content

    def put(self, path: str, content: bytes) -> None:
        """Write a file as another client does."""
        self.case.did(f"another client writes {shorten(content)} to {path}")
        self._look(f"[{path!r}] =", lambda: self.raw.__setitem__(path, content))

    def remove(self, path: str) -> None:
        """Remove a file as another client does."""
        self.case.did(f"another client removes {path}")
        self._look(f"del [{path!r}]", lambda: self.raw.__delitem__(path))

    def paths(self) -> set[str]:
        """The paths of all files, those included that the adapter shows nobody."""
        found = self._look("", lambda: set(self.raw))
        self.case.saw(f"the home holds {shorten(sorted(found))}")
        return found

    def content(self) -> dict[str, bytes]:
        """All files."""
        return self._look("", lambda: dict(self.raw))

    def has(self, name: str) -> bool:
        """Whether the author's mapping can do something more."""
        return hasattr(self.raw, name)


def shown(name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any] | None = None) -> str:
    """A call in a report."""
    named = [f"{key}={shorten(value)}" for key, value in (kwargs or {}).items()]
    return f"{name}({', '.join([*map(repr_short, args), *named])})"


def repr_short(value: object) -> str:
    """An argument in a report."""
    return repr(value) if isinstance(value, str) and len(value) < 60 else shorten(value)
