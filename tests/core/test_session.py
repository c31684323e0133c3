"""The notebook's half: tickets in, live things out."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

import greyhub
from greyhub.errors import NotOnPlatform, SlotEmpty, TicketError
from greyhub.ticket import VERSION, Ticket, variable

pytestmark = pytest.mark.processes

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda each: st.lists(each) | st.dictionaries(st.text(), each),
)


@given(st.dictionaries(st.text(), JSON), st.text())
def test_a_ticket_comes_back_as_it_was(data: dict[str, object], label: str) -> None:
    ticket = Ticket("data", "m:C", data, label)
    text = ticket.dumps()
    assert re.fullmatch("[A-Za-z0-9_-]+", text)
    assert Ticket.loads("data", text) == ticket


@pytest.mark.parametrize(
    "text", ["", "no json", "e30", "_w", "ä", "[]", "{}", '{"version": 0}', '{"version": "1"}']
)
def test_what_is_no_ticket_is_named(text: str) -> None:
    with pytest.raises(TicketError) as error:
        Ticket.loads("data", text)
    assert "GREYHUB_DATA is not a ticket" in str(error.value)


def test_a_newer_ticket_asks_for_an_upgrade() -> None:
    text = json.dumps({"version": VERSION + 1, "adapter": "m:C", "data": {}})
    with pytest.raises(TicketError) as error:
        Ticket.loads("home", text)
    assert "pip install -U greyhub" in str(error.value)


def test_a_ticket_of_the_first_version_can_be_read() -> None:
    text = '{"version":1,"adapter":"m:C","data":{"a":1},"unknown":true}'
    assert Ticket.loads("data", text).data == {"a": 1}


def test_outside_a_platform_the_error_says_what_to_do() -> None:
    with pytest.raises(NotOnPlatform) as error:
        greyhub.connect(environ={})
    assert "was not started by a greyhub" in str(error.value)
    assert "greyhub.compose(c) is missing" in str(error.value)


def session() -> greyhub.session.Session:  # type: ignore[name-defined]
    spawner = Ticket("spawner", "m:C", {"user": "<ada>"}, "a process & more").dumps()
    return greyhub.connect(environ={variable("spawner"): spawner})


def test_an_empty_slot_says_so() -> None:
    with pytest.raises(SlotEmpty) as error:
        _ = session().home
    assert "c.GreyHub.homespace" in str(error.value)


def test_it_shows_itself() -> None:
    platform = session()
    assert repr(platform) == "<greyhub of <ada>>\n  spawner   a process & more"
    assert "&lt;ada&gt;" in platform._repr_html_()
    assert "a process &amp; more" in platform._repr_html_()


def test_a_negative_cluster_is_refused() -> None:
    with pytest.raises(ValueError, match="workers=-1"):
        session().cluster(workers=-1)


HEAVY = {"jupyterhub", "distributed", "dask", "intake", "fsspec", "numpy", "tornado", "yaml"}


def modules_after(code: str) -> set[str]:
    """The modules that a fresh interpreter has after running ``code``."""
    listing = "\nimport sys; print('\\n'.join(sys.modules))"
    ran = subprocess.run(
        [sys.executable, "-c", code + listing], capture_output=True, text=True, check=True
    )
    return set(ran.stdout.split())


def test_importing_greyhub_imports_nothing_heavy() -> None:
    assert not modules_after("import greyhub") & (HEAVY | {"traitlets"})


def test_what_keeps_a_home_is_small() -> None:
    """It runs beside every server, and begins anew whenever it has rested."""
    loaded = modules_after("import greyhub.homespace.sync.daemon")
    assert not loaded & (HEAVY | {"traitlets", "asyncio", "ssl", "logging"})


def test_connecting_imports_no_backend() -> None:
    ticket = Ticket("spawner", "m:C", {"user": "ada"}).dumps()
    code = f"import greyhub; greyhub.connect(environ={{'GREYHUB_SPAWNER': {ticket!r}}})"
    assert not modules_after(code) & HEAVY


def test_the_public_names_are_true() -> None:
    assert all(hasattr(greyhub, name) for name in greyhub.__all__)
