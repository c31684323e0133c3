"""A subclass of an adapter that notes what is asked of it and what it answers."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from greyhub.conformance.case import Story, shorten


@dataclass
class Answer:
    """What one call of the adapter came to."""

    name: str
    adapter: Any
    value: Any = None
    error: BaseException | None = None


def recorded(
    cls: type, methods: Sequence[str], story: Story, answers: list[Answer], quiet: bool = False
) -> type:
    """A class that is ``cls`` in all but the notes it takes of these methods."""
    noted = {
        name: _noted(name, getattr(cls, name), story, answers, quiet)
        for name in methods
        if hasattr(cls, name)
    }
    return type(cls)(cls.__name__, (cls,), {**noted, "__module__": cls.__module__})


def _noted(
    name: str, original: Callable[..., Any], story: Story, answers: list[Answer], quiet: bool
) -> Callable[..., Any]:
    def note(answer: Answer) -> None:
        answers.append(answer)
        if answer.error is not None:
            story.raised.append(answer.error)
            story.said.append(f"{name}() raised {shorten(answer.error)}")
        elif not quiet or answer.value is not None:
            story.said.append(f"{name}() = {shorten(answer.value)}")

    async def finish(adapter: Any, value: Awaitable[Any]) -> Any:
        try:
            answer = await value
        except BaseException as error:
            note(Answer(name, adapter, error=error))
            raise
        else:
            note(Answer(name, adapter, answer))
            return answer
        finally:
            story.calling.remove(f"{name}()")

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        story.calling.append(f"{name}()")
        try:
            value = original(self, *args, **kwargs)
        except BaseException as error:
            story.calling.remove(f"{name}()")
            note(Answer(name, self, error=error))
            raise
        if inspect.isawaitable(value):
            return finish(self, value)
        story.calling.remove(f"{name}()")
        note(Answer(name, self, value))
        return value

    method.__name__ = name
    method.__doc__ = original.__doc__
    return method
