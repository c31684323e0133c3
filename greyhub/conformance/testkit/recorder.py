"""Make a subclass of an adapter that records its calls and their answers."""

from __future__ import annotations

import inspect
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from greyhub.conformance.record import Record, shorten


@dataclass
class Answer:
    """What one call of the adapter came to."""

    name: str
    adapter: Any
    value: Any = None
    error: BaseException | None = None
    began: float = 0.0
    ended: float = 0.0


def recorded(
    cls: type, methods: Sequence[str], record: Record, answers: list[Answer], quiet: bool = False
) -> type:
    """A class that is ``cls`` in all but the notes it takes of these methods."""
    noted = {
        name: _noted(name, getattr(cls, name), record, answers, quiet)
        for name in methods
        if hasattr(cls, name)
    }
    return type(cls)(cls.__name__, (cls,), {**noted, "__module__": cls.__module__})


def _noted(
    name: str, original: Callable[..., Any], record: Record, answers: list[Answer], quiet: bool
) -> Callable[..., Any]:
    def note(answer: Answer) -> None:
        answer.ended = time.monotonic()
        answers.append(answer)
        if answer.error is not None:
            record.raised.append(answer.error)
            record.said.append(f"{name}() raised {shorten(answer.error)}")
        elif not quiet:
            record.said.append(f"{name}() = {shorten(answer.value)}")

    async def finish(answer: Answer, value: Awaitable[Any]) -> Any:
        try:
            answer.value = await value
        except BaseException as error:
            answer.error = error
            raise
        else:
            return answer.value
        finally:
            record.calling.remove(f"{name}()")
            note(answer)

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        answer = Answer(name, self, began=time.monotonic())
        record.calling.append(f"{name}()")
        try:
            value = original(self, *args, **kwargs)
        except BaseException as error:
            answer.error = error
            record.calling.remove(f"{name}()")
            note(answer)
            raise
        if inspect.isawaitable(value):
            return finish(answer, value)
        answer.value = value
        record.calling.remove(f"{name}()")
        note(answer)
        return value

    method.__name__ = name
    method.__doc__ = original.__doc__
    return method
