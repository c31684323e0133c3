"""Computes of a workspace: made once, started, stopped, deleted, whatever becomes of a reply."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace

import pytest

from greyhub.azureml.errors import NotFound, Refused, Unavailable
from greyhub.azureml.states import address, failure, state
from greyhub.azureml.workspace import Workspace, shared
from greyhub.conformance.testkit.azureml import Simulator, Times
from tests.azureml.conftest import asked, instance, settings_for
from tests.support.waiting import MINUTE


async def test_the_life_of_an_instance(azure, workspace):
    """Each step ends when Azure says so, and the list shows it."""
    made = await workspace.create_compute("jupyter-a", instance())
    await workspace.finished(made, MINUTE)
    found = (await workspace.computes())["jupyter-a"]
    assert state(found) == "Running"
    assert address(found)
    for act, expected in (
        (workspace.stop, "Stopped"),
        (workspace.start, "Running"),
        (workspace.restart, "Running"),
    ):
        await workspace.finished(await act("jupyter-a"), MINUTE)
        assert state(await workspace.compute("jupyter-a")) == expected
    await workspace.finished(await workspace.delete("jupyter-a"), MINUTE)
    assert await workspace.computes() == {}
    with pytest.raises(NotFound):
        await workspace.compute("jupyter-a")
    assert azure.violations == []


async def test_tags_of_the_settings_are_added(azure):
    """And do not replace those that tell whose it is."""
    workspace = Workspace(settings_for(azure, tags={"cost-centre": "1", "greyhub-user": "x"}))
    made = await workspace.create_compute("jupyter-a", instance())
    assert made.resource["tags"]["cost-centre"] == "1"
    assert made.resource["tags"]["greyhub-user"] == "ada"
    await workspace.close()


@pytest.mark.parametrize("fault", ["lost", "reset", "unavailable", "error", "throttled"])
async def test_one_instance_whatever_becomes_of_the_reply(azure, workspace, fault):
    """It is looked for before it is asked for again: what is there is not overwritten."""
    met = azure.fault(fault, method="PUT", path="computes/", retry_after=0.01)
    made = await workspace.create_compute("jupyter-a", instance())
    await workspace.finished(made, MINUTE)
    assert met.hits == 1
    assert state(await workspace.compute("jupyter-a")) == "Running"
    assert azure.overwritten == []
    assert asked(azure, "PUT") == (1 if fault == "lost" else 2)


async def test_making_it_twice_makes_one(azure, workspace):
    """As a hub does that was killed in between."""
    await workspace.finished(await workspace.create_compute("jupyter-a", instance()), MINUTE)
    again = await Workspace(workspace.settings).create_compute("jupyter-a", instance())
    assert again.resource["name"] == "jupyter-a"
    assert asked(azure, "PUT") == 1


@pytest.mark.parametrize("tags", [{}, {"greyhub-hub": "other", "greyhub-user": "ada"}])
async def test_what_is_not_ours_is_left_alone(azure, workspace, tags):
    """An instance of the same name with other tags, or with none."""
    path = f"{azure.cloud.id}/computes/jupyter-a"
    await workspace.connection.request("PUT", path, "make it", body=instance(tags=tags))
    with pytest.raises(Refused, match="for something else") as caught:
        await workspace.create_compute("jupyter-a", instance())
    assert caught.value.reason == "name-taken"
    assert azure.overwritten == []
    assert asked(azure, "PUT") == 1


async def test_what_nobody_could_tell_is_not_made(azure, workspace):
    """Without a tag that says for whom it is."""
    with pytest.raises(ValueError, match="no tag"):
        await workspace.create_compute("jupyter-a", instance(tags={"cost-centre": "1"}))
    assert azure.requests == []


async def test_a_name_that_another_workspace_has(azure, workspace):
    """Is told in words."""
    azure.take_name("jupyter-a")
    with pytest.raises(Refused, match="maybe in another workspace") as caught:
        await workspace.create_compute("jupyter-a", instance())
    assert caught.value.reason == "name-taken"


@pytest.mark.parametrize("fault", ["lost", "reset", "unavailable"])
@pytest.mark.parametrize("act", ["stop", "restart", "delete"])
async def test_a_change_whose_reply_is_lost(azure, workspace, act, fault):
    """Is asked for again, and done once."""
    await workspace.finished(await workspace.create_compute("jupyter-a", instance()), MINUTE)
    azure.fault(fault, method="DELETE" if act == "delete" else "POST")
    await workspace.finished(await getattr(workspace, act)("jupyter-a"), MINUTE)
    if act == "delete":
        assert azure.instances() == {}
    else:
        assert azure.state("jupyter-a") == {"stop": "Stopped", "restart": "Running"}[act]


async def test_what_is_done_already(azure, workspace):
    """A server that is stopped is stopped; one that is gone is deleted."""
    await workspace.finished(await workspace.create_compute("jupyter-a", instance()), MINUTE)
    await workspace.finished(await workspace.start("jupyter-a"), MINUTE)
    for _ in range(2):
        await workspace.finished(await workspace.stop("jupyter-a"), MINUTE)
    one, other = await workspace.delete("jupyter-a"), await workspace.delete("jupyter-a")
    await workspace.finished(other, MINUTE)
    await workspace.finished(one, MINUTE)
    await workspace.finished(await workspace.delete("jupyter-a"), MINUTE)
    with pytest.raises(NotFound):
        await workspace.stop("jupyter-a")


async def test_why_it_was_not_made(azure, workspace):
    """Before it is begun, or while it is done."""
    with pytest.raises(Refused) as caught:
        await workspace.create_compute("jupyter-a", instance(vmSize="Standard_XXL"))
    assert caught.value.reason == "size"
    azure.fault("quota", method="PUT")
    with pytest.raises(Refused) as caught:
        await workspace.create_compute("jupyter-a", instance())
    assert caught.value.reason == "quota"
    azure.fail_next("create", "CreateFailed")
    made = await workspace.create_compute("jupyter-a", instance())
    with pytest.raises(Refused, match="CreateFailed"):
        await workspace.finished(made, MINUTE)
    assert "CreateFailed" in failure(await workspace.compute("jupyter-a")).what


async def test_what_takes_too_long(azure, workspace):
    """Is said to, and goes on."""
    made = await workspace.create_compute("jupyter-a", instance())
    with pytest.raises(Unavailable, match="takes more than 0 s"):
        await workspace.finished(made, 0)
    await workspace.finished(made, MINUTE)


async def test_many_who_wait_make_few_requests():
    """They go by the list, and ask for the operation itself when that shows an end."""
    with Simulator(isolate=False, times=Times(create=2)) as azure:
        workspace = Workspace(settings_for(azure))
        names = [f"jupyter-{letter}" for letter in "abcdefghij"]
        made = await asyncio.gather(*(workspace.create_compute(each, instance()) for each in names))
        await asyncio.gather(*(workspace.finished(each, MINUTE) for each in made))
        assert {azure.state(each) for each in names} == {"Running"}
        looks = [each for each in azure.requests if "OperationsStatus" in each.path]
        assert len(looks) <= 2 * len(names)
        await workspace.close()


async def test_an_outage_while_it_waits(azure, workspace):
    """Does not matter, if it ends."""
    workspace.settings.patience = 0
    made = await workspace.create_compute("jupyter-a", instance())
    met = azure.fault("unavailable", method="GET", times=5)
    await workspace.finished(made, MINUTE)
    assert met.hits == 5
    assert azure.state("jupyter-a") == "Running"


async def test_an_operation_that_azure_has_forgotten(azure, workspace):
    """Is judged by what has become of the compute."""
    made = await workspace.create_compute("jupyter-a", instance())
    url = re.sub(r"Status/[^?]+", "Status/forgotten", made.url)
    await workspace.finished(replace(made, url=url), MINUTE)
    assert azure.state("jupyter-a") == "Running"


async def test_only_a_resource_that_is_not_there_is_not_found(azure):
    """A workspace, a group or a subscription that is missing says nothing of what runs."""
    for wrong in ("workspace", "resource_group", "subscription"):
        workspace = Workspace(
            settings_for(azure, **{wrong: "00000000-0000-0000-0000-00000000000f"})
        )
        for ask in (
            workspace.computes(),
            workspace.compute("jupyter-a"),
            workspace.stop("jupyter-a"),
            workspace.delete("jupyter-a"),
            workspace.create_compute("jupyter-a", instance()),
        ):
            with pytest.raises(Refused) as caught:
                await ask
            assert caught.value.reason == "workspace"
        await workspace.close()


async def test_without_rights_nothing_is_gone(azure, workspace):
    """A right that was taken away is named."""
    await workspace.finished(await workspace.create_compute("jupyter-a", instance()), MINUTE)
    azure.grant()
    for ask in (workspace.compute("jupyter-a"), workspace.computes(), workspace.stop("jupyter-a")):
        with pytest.raises(Refused, match="MachineLearningServices/workspaces") as caught:
            await ask
        assert caught.value.reason == "right"


async def test_what_was_just_made_is_not_gone(azure, workspace):
    """Where Azure's reads lag behind."""
    azure.lag(get=3600, list=3600)
    await workspace.create_compute("jupyter-a", instance())
    with pytest.raises(Unavailable, match="made a moment ago"):
        await workspace.compute("jupyter-a")
    azure.lag()
    assert state(await workspace.compute("jupyter-a"))
    await workspace.finished(await workspace.delete("jupyter-a"), MINUTE)
    with pytest.raises(NotFound):
        await workspace.compute("jupyter-a")


async def test_more_computes_than_a_page(azure, workspace):
    """All pages are one list."""
    azure.cloud.page_size = 2
    for number in range(5):
        await workspace.create_compute(f"jupyter-{'abcde'[number]}", instance())
    assert sorted(await workspace.computes()) == [f"jupyter-{each}" for each in "abcde"]


async def test_many_who_poll_share_one_request(azure):
    """And the object itself, by its settings."""
    settings = settings_for(azure, poll_interval=3600)
    workspace = shared(settings)
    assert shared(settings_for(azure, poll_interval=3600)) is workspace
    assert shared(settings_for(azure, workspace="other")) is not workspace
    await asyncio.gather(*(workspace.computes() for _ in range(500)))
    assert asked(azure, "GET", "/computes") == 1
    await workspace.create_compute("jupyter-a", instance())
    lists = await asyncio.gather(*(workspace.computes() for _ in range(500)))
    assert all("jupyter-a" in each for each in lists)
    assert asked(azure, "GET", "/computes") == 2
    await workspace.close()
