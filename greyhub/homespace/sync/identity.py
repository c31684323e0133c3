"""Identify homes: whose home is in the store, and was this local tree made from it?

Both sides carry a mark. A side without its mark is not the one that the journal
knows: then nothing of it counts as deleted, and all is compared anew.
"""

from __future__ import annotations

import json
import uuid
from typing import Final

from greyhub.errors import HomeError
from greyhub.homespace.sync.context import SyncContext
from greyhub.homespace.sync.interruptible import Until, answer
from greyhub.homespace.sync.keys import IDENTITY, RESERVED
from greyhub.homespace.sync.source import Content
from greyhub.homespace.sync.stores.base import ABSENT, Changed, Store, read

COPY: Final = f"{RESERVED}/copy"
FORMAT: Final = 1


def recognise(context: SyncContext, until: Until | None = None) -> bool:
    """Whether the journal is about these two sides; if it is not, it is forgotten.

    Parameters
    ----------
    context : SyncContext
        The working copy.
    until : Until | None
        True to give up what the store is asked.

    Raises
    ------
    greyhub.errors.HomeError
        The store holds another home, or one that a newer greyhub wrote.
    OSError
        The store does not answer.
    greyhub.homespace.sync.interruptible.GivenUp
        It was given up.
    """
    _recognise_copy(context)
    known = context.journal.fact("home")
    what = f"the mark of {context.store.name}"
    found = answer(lambda: home_of(context.store), until, what)
    same: bool = found == known
    if found is None:
        found = answer(lambda: _mark(context.store, known), until, what)
        if known:
            context.journal.forget()
            _recognise_copy(context, anew=True)
    elif known and found != known:
        if context.journal.fact("store") != context.store.name:
            raise HomeError(
                f"{context.store.name} holds another home than {context.tree.home}.\n"
                "  fix: start with an empty local directory, or put the right home's URL"
            )
        context.journal.forget()  # what was there was replaced: a backup, or it was made anew
        _recognise_copy(context, anew=True)
    with context.journal.changing():
        context.journal.set("home", found)
        context.journal.set("store", context.store.name)
    return same


def _recognise_copy(context: SyncContext, *, anew: bool = False) -> None:
    mark = context.tree.home / COPY
    known = context.journal.fact("copy")
    if known and not anew:
        try:
            if mark.read_text() == known:
                return
        except FileNotFoundError:
            pass
        context.journal.forget()  # another disk, or an emptied one: nothing was deleted by anyone
    name = uuid.uuid4().hex
    mark.write_text(name)
    context.journal.set("copy", name)


def home_of(store: Store) -> str | None:
    """The mark of the home in a store, or None if it has none.

    Raises
    ------
    greyhub.errors.HomeError
        It cannot be read by this version.
    """
    try:
        data = read(store, IDENTITY)
    except FileNotFoundError:
        return None
    try:
        fields = json.loads(data)
        version, home = int(fields["format"]), str(fields["home"])
    except (ValueError, KeyError, TypeError) as error:
        raise HomeError(
            f"{store.name}/{IDENTITY} is not a home's mark: {error!r}.\n"
            "  fix: restore it from a backup, or delete it to have a new one made"
        ) from error
    if version > FORMAT:
        raise HomeError(
            f"{store.name} was written by a newer greyhub (format {version}, this one reads "
            f"{FORMAT}).\n  fix: upgrade greyhub in this environment: pip install -U greyhub"
        )
    return home


def _mark(store: Store, known: str | None) -> str:
    """Mark a store that has no mark; the mark that it has then."""
    if known:  # the home is gone: is its store there at all?
        next(iter(store.list()), None)
    home = known or uuid.uuid4().hex
    data = json.dumps({"format": FORMAT, "home": home}).encode()
    try:
        store.put(IDENTITY, Content(data), ABSENT)
    except Changed:  # another server of the user's was first, or our reply was lost
        found = home_of(store)
        if found is None:
            raise OSError(f"{store.name} cannot be made out") from None
        return found
    return home
