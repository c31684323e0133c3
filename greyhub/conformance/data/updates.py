"""DATA-023, 030 to 032: reading changes nothing; reload() shows what was published since."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from greyhub.conformance.contract import MUST, clause
from greyhub.conformance.data.case import DataCase
from greyhub.conformance.data.content import RAIN, SUN
from greyhub.conformance.data.datasets import lines, table
from greyhub.conformance.record import shorten
from greyhub.conformance.testkit.interleaving import Step
from greyhub.errors import CatalogError


@clause("DATA-023", MUST, hooks="publish content", guards="data")
def reading_changes_nothing(case: DataCase) -> None:
    """To list, describe, open and read changes nothing in the backend, nor where the notebook is.

    No byte, no time, no file that was not there: what is cached is cached elsewhere.

    Seen: intake#446 https://github.com/intake/intake/issues/446
    """
    case.publish(rain=table("rain", RAIN), sun=table("sun", SUN), log=lines("log", ["a", "b"]))
    before, here = case.hook("content", quietly=True), set(os.listdir())
    catalog = case.catalog()
    for name in catalog.names():
        catalog.describe(name)
        catalog.read(name)
    if case.claims("dask") and case.suite.kind == "table":
        catalog.lazy("rain").compute(scheduler="synchronous")
    case.catalog().names()
    after = case.hook("content", quietly=True)
    changed = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
    case.require(not changed, f"reading has changed {', '.join(changed)}")
    made = sorted(set(os.listdir()) - here)
    case.require(not made, f"reading has made {', '.join(made)} where the notebook is")


@clause("DATA-030", MUST, hooks="publish")
def reload_shows_what_is_new(case: DataCase) -> None:
    """reload() shows what was published since; what is open stays what it was.

    A catalogue that cannot be read any more is an error, and stays as it was.
    """
    newer: dict[str, list[Any]] = {"month": [7], "mm": [99]}
    # The two catalogues are of one length, and of one second.
    case.publish(rain=table("rain-old", RAIN, description="Old."), gone=table("gone", SUN))
    catalog = case.catalog()
    opened = catalog.open("rain")
    case.require(catalog.names() == ["gone", "rain"], f"it lists {catalog.names()}")
    case.publish(rain=table("rain-new", newer, description="New."), here=table("here", SUN))
    catalog.reload()
    case.equal(catalog.names(), ["here", "rain"], "after reload() it lists")
    case.same(catalog.read("rain"), newer, "after reload()")
    case.equal(catalog.describe("rain")["description"], "New.", "after reload() it says")
    case.raises(KeyError, catalog.open, "gone", what="one that is published no more")
    case.same(catalog.all_of(opened), RAIN, "what was open before")
    if case.claims("remote") and case.suite.endpoint:
        with case.suite.proxy.fault("refused"):
            case.raises(Exception, catalog.reload, what="reload() of one that is away")
        case.equal(catalog.names(), ["here", "rain"], "after a reload() that failed it lists")
        catalog.reload()
    if case.claims("documents") and case.suite.has("write"):
        case.write("sources: [\n")
        case.raises(CatalogError, catalog.reload, what="reload() of a broken one")
        case.equal(catalog.names(), ["here", "rain"], "after a reload() that failed it lists")


@clause("DATA-031", MUST, needs="acl", hooks="publish", guards="data")
def what_is_hidden_cannot_be_read(case: DataCase) -> None:
    """What is hidden from a user cannot be described, opened or read either, nor found by guessing.

    The error is that of a name that is not there, or of a right that is not. What
    another user has opened does not help, nor does the length, an error or an export.
    """
    public = table("public", SUN)
    private = table("private", RAIN, users=frozenset({"bob"}), description="Bob's own.")
    case.publish(public=public, private=private)
    bob, ada = case.catalog("bob"), case.catalog("ada")
    case.require(bob.names() == ["private", "public"], f"its owner is listed {bob.names()}")
    case.same(bob.read("private"), RAIN, "its owner's")
    case.require(ada.names() == ["public"], f"another is listed {ada.names()}")
    case.require(not ada.has("private"), "what is hidden is in it")
    shown = f"{ada.catalog!r} {getattr(ada.catalog, '_repr_html_', str)()}"
    case.require("private" not in shown and "Bob's own" not in shown, "what is hidden is shown")
    case.equal(case.call("len()", len, ada.catalog), 1, "with what is hidden its length is")
    error = _refused(case, "one that nobody has", lambda: ada.open("nonesuch"))
    told = f"{error} {case.suite.export(ada.catalog) if case.claims('export') else ''}"
    case.require("private" not in told, f"what is hidden is told in an error or exported: {told}")
    for what, call in (
        ("to describe it", lambda: ada.describe("private")),
        ("to read it", lambda: ada.read("private")),
    ):
        error = _refused(case, what, call)
        case.require("Bob's own" not in str(error), f"{what}: the error tells of it: {error}")
    case.did("it is hidden from bob, too")
    opened = bob.open("private")
    case.publish(public=public, private=private.but(users=frozenset({"eve"})))
    bob.reload()
    _refused(case, "to read what has been hidden since", lambda: bob.read("private"))
    _refused(case, "to read what was open before", lambda: bob.all_of(opened))


def _refused(case: DataCase, what: str, call: Any) -> Exception:
    try:
        found = call()
    except (KeyError, PermissionError) as error:
        return error
    except Exception as error:
        case.fail(f"{what}: neither a KeyError nor a PermissionError, but {error!r}")
    case.fail(f"{what} is not refused: {shorten(found)}")


POINTS = 12
"""At how many steps of a look another catalogue is published, at most."""


@clause("DATA-032", MUST, hooks="publish", budget=30)
def it_is_the_old_or_the_new(case: DataCase) -> None:
    """Who looks while a catalogue is published sees the old one or the new, never some of each.

    The publishing is done at each step of reload() towards the backend, which
    waits for it; then the catalogue is looked at. One whose reload() asks nothing is
    looked at meanwhile.
    """
    old = {name: table("rain", RAIN, description="old") for name in ("a", "b", "c")}
    new = {name: table("sun", SUN, description="new") for name in ("b", "c", "d")}
    case.publish_all(old)
    held = case.catalog()

    def look() -> dict[str, Any]:
        return {name: held.describe(name)["description"] for name in held.names()}

    steps = _steps(case, held.reload)
    meanwhile: Callable[[], object] = held.reload if steps else look
    steps = steps or _steps(case, look)
    case.did(f"publish another at each of {steps} steps")
    for point in sorted(case.random.sample(range(steps), min(POINTS, steps))):
        case.suite.publish(old)
        held.reload()
        with case.suite.stepping(_at(point, lambda: case.suite.publish(new))):
            seen = meanwhile()
        seen = seen if meanwhile is look else look()
        whole = seen in (dict.fromkeys(old, "old"), dict.fromkeys(new, "new"))
        case.require(whole, f"at step {point} it became {seen}")


def _steps(case: DataCase, call: Callable[[], object]) -> int:
    """How many steps lead out of a call."""
    steps = 0

    def count(out: bool) -> None:
        nonlocal steps
        steps += out

    with case.suite.stepping(count):
        call()
    return steps


def _at(point: int, act: Callable[[], object]) -> Step:
    """A step that acts when so many have led out before it."""
    left = point

    def step(out: bool) -> None:
        nonlocal left
        if out:
            left -= 1
            if left == -1:
                act()

    return step
