"""Open files: what is written is published when the file is closed, and not before."""

from __future__ import annotations

import io
from types import TracebackType
from typing import Any, Protocol


class Home(Protocol):
    """What a file needs of the home that it is in."""

    def publish(self, path: str, content: bytes, mode: str, match: str | None = None) -> None:
        """Let a file appear whole."""


class Reader(io.BytesIO):
    """One version of a file."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.size = len(content)


class Writer(io.BytesIO):
    """A file that is being written, in memory."""

    def __init__(self, home: Home, path: str, mode: str, autocommit: bool, **how: Any) -> None:
        super().__init__()
        self.home, self.path, self.kind, self.autocommit = home, path, mode, autocommit
        self.how, self.content = how, b""

    def close(self) -> None:
        """Publish it, unless a transaction will."""
        if not self.closed:
            self.content = self.getvalue()
            super().close()
            if self.autocommit:
                self.commit()

    def commit(self) -> None:
        """Publish it."""
        self.home.publish(self.path, self.content, self.kind, **self.how)

    def discard(self) -> None:
        """Forget it."""
        super().close()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()

    def __del__(self) -> None:
        # A writer that was never closed is one that failed.
        self.discard()


class Text(io.TextIOWrapper):
    """A file of text that is being written."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.buffer.discard()  # type: ignore[attr-defined]
