"""Capture everything that is logged while a clause runs, at every level."""

from __future__ import annotations

import logging


class LogCapture(logging.Handler):
    """Hears all loggers; a context, after which the levels are as they were."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []
        self._level = logging.getLogger().level

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line, with its traceback."""
        text = f"{record.levelname} {record.name}: {record.getMessage()}"
        if record.exc_info:
            text += "\n" + logging.Formatter().formatException(record.exc_info)
        self.lines.append(text)

    def __enter__(self) -> LogCapture:
        root = logging.getLogger()
        self._level = root.level
        root.addHandler(self)
        root.setLevel(logging.DEBUG)
        return self

    def __exit__(self, *exception: object) -> None:
        root = logging.getLogger()
        root.removeHandler(self)
        root.setLevel(self._level)

    def holding(self, text: str) -> list[str]:
        """The lines with this text in them."""
        return [line for line in self.lines if text in line]


def as_shown(error: BaseException | None) -> str:
    """An error with those that it came of, as a traceback shows them."""
    told = []
    while error is not None:
        told.append(f"{error!r} {error}")
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return " ".join(told)
