"""Azure's budgets are kept by all who ask together, and no change is lost for them."""

from __future__ import annotations

import asyncio

import pytest

from greyhub.azureml.budget import RESERVE, Budget, retry_after
from greyhub.azureml.errors import Unavailable
from greyhub.azureml.workspace import Workspace
from tests.azureml.conftest import asked, instance, settings_for


@pytest.mark.parametrize("path", ["computes/jupyter-a$", "computes/jupyter-a/stop$"])
async def test_a_change_waits_until_it_is_taken(azure, workspace, path):
    """As often as Azure asks it to."""
    met = azure.fault("throttled", path=path, method="", times=3, retry_after=0.05)
    made = await workspace.create_compute("jupyter-a", instance())
    await workspace.finished(made, 60)
    await workspace.finished(await workspace.stop("jupyter-a"), 60)
    assert met.hits == 3
    assert azure.state("jupyter-a") == "Stopped"


async def test_a_change_outwaits_the_patience_of_reads(azure):
    """A read says that it is not known; a change is done when Azure takes it."""
    workspace = Workspace(settings_for(azure, patience=0.2, poll_interval=0))
    await workspace.create_compute("jupyter-a", instance())
    azure.fault("throttled", method="GET", retry_after=5)
    with pytest.raises(Unavailable, match="throttles") as caught:
        await workspace.compute("jupyter-a")
    assert 0 < caught.value.retry_after <= 5
    before = len(azure.requests)
    with pytest.raises(Unavailable):
        await workspace.computes()
    assert len(azure.requests) == before
    azure.fault("throttled", method="DELETE", retry_after=0.5)
    await workspace.delete("jupyter-a")
    assert asked(azure, "DELETE") == 2
    await workspace.close()


async def test_longer_than_a_change_waits(azure, workspace):
    """It says after how long to ask again, and that it was not done."""
    azure.fault("throttled", method="PUT", retry_after=3600)
    with pytest.raises(Unavailable) as caught:
        await workspace.create_compute("jupyter-a", instance())
    assert caught.value.retry_after > 3000
    assert azure.instances() == {}


async def test_many_changes_at_once_are_all_done(azure, monkeypatch):
    """With a budget that has room for a few; they are not all sent, to be refused."""
    monkeypatch.setattr("greyhub.azureml.budget.APART", 0.06)
    azure.throttle("writes", 5, per_second=20)
    workspace = Workspace(settings_for(azure))
    names = [f"jupyter-{letter}" for letter in "abcdefghijklmnopqrst"]
    await asyncio.gather(*(workspace.create_compute(each, instance()) for each in names))
    assert sorted(azure.instances()) == names
    refused = [each for each in azure.requests if each.status == 429]
    assert len(refused) < len(names)
    await workspace.close()


async def test_who_queues_waits_as_well(azure, monkeypatch):
    """When one is throttled, those behind it are not sent before the time that Azure asks for."""
    monkeypatch.setattr("greyhub.azureml.budget.AT_ONCE", 1)
    azure.fault("throttled", method="PUT", retry_after=0.5)
    workspace = Workspace(settings_for(azure))
    await asyncio.gather(*(workspace.create_compute(f"jupyter-{x}", instance()) for x in "abc"))
    first, *others = [each for each in azure.requests if each.method == "PUT"]
    assert first.status == 429
    assert all(each.at - first.at >= 0.5 for each in others)  # never sooner, however slow
    await workspace.close()


async def test_what_is_left_is_read_from_each_answer(azure, workspace):
    """By kind."""
    await workspace.computes()
    await workspace.create_compute("jupyter-a", instance())
    assert set(workspace.connection.budget.left) == {"reads", "writes"}
    assert 0 < workspace.connection.budget.left["writes"] < 200


def test_with_little_left_requests_keep_apart():
    """So that others have some, too."""
    budget = Budget()
    budget.note({"X-Ms-Ratelimit-Remaining-Subscription-Reads": str(RESERVE)})
    budget.take("reads")
    assert budget.wait("reads") == 0
    budget.note({"x-ms-ratelimit-remaining-subscription-reads": str(RESERVE - 1)})
    budget.take("reads")
    assert budget.wait("reads") > 0
    assert budget.wait("writes") == 0


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 0),
        ({"Retry-After": "17"}, 17),
        ({"retry-after-ms": "250"}, 0.25),
        ({"Retry-After": "soon"}, 0),
        ({"Retry-After": "-3"}, 0),
        ({"Retry-After": "nan"}, 0),
    ],
)
def test_how_long_to_wait(headers, seconds):
    """Only what is a number of seconds counts."""
    assert retry_after(headers) == seconds
