"""Profiles as they are offered, asked for, and given to a Spawner."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from jupyterhub.spawner import LocalProcessSpawner, SimpleLocalProcessSpawner, Spawner
from kubespawner import KubeSpawner
from sudospawner import SudoSpawner
from tornado.web import HTTPError
from traitlets import Float, Unicode
from traitlets.config import Config
from wrapspawner import ProfilesSpawner

from greyhub.spawner_class import spawner_class
from greyhub.spawners import SpawnerAdapter
from greyhub.spawners.profiles import NEEDS
from tests.support.adapters import FakeHub

SMALL = {"name": "small", "title": "Small & quick", "cores": 0.5, "memory": "512 MiB"}
LARGE = {"name": "large", "description": "For <big> data", "cores": 8, "memory": "64 GiB"}
GPU = {"name": "gpu", "gpus": 1, "groups": ["gpu-users", "staff"]}


# What a Spawner can be given.


class Plain(Spawner):
    """A Spawner as anybody may write one."""

    async def start(self) -> str:
        return "http://10.0.0.1:8888"

    async def stop(self, now: bool = False) -> None: ...

    async def poll(self) -> int | None:
        return None


class Mine(Plain):
    """One with options of its own, which knows no others of the user's."""

    async def start(self) -> str:
        if {*self.user_options} - {"theirs"}:
            raise ValueError(f"what is this? {self.user_options}")
        return await super().start()

    cpu_limit = Float(None, allow_none=True).tag(config=True)
    image = Unicode().tag(config=True)


class Limited(LocalProcessSpawner):
    """Processes in groups that the kernel limits."""

    mem_limit = Float(None, allow_none=True).tag(config=True)


@pytest.mark.parametrize(
    ("cls", "sure", "doubtful"),
    [
        (LocalProcessSpawner, {"environment"}, {"cores", "memory"}),
        (SudoSpawner, set(), {"cores", "memory"}),
        (KubeSpawner, {*NEEDS} - {"machine"}, set()),
        (Plain, {"environment"}, {"cores", "memory"}),
        (Mine, {"environment", "image", "cores"}, {"memory"}),
        (ProfilesSpawner, set(), set()),
        (Limited, {"environment", "memory"}, {"cores"}),
    ],
)
def test_what_a_class_takes(cls: type, sure: set[str], doubtful: set[str]) -> None:
    found = SpawnerAdapter(spawner_class=cls).profile_keys()
    assert {key for key, caveat in found.items() if not caveat} == sure
    assert {key for key, caveat in found.items() if caveat} == doubtful


# What is offered, and asked for.


class Hub:
    """A Spawner of some class, with profiles, for a user of some groups."""

    def __init__(self, cls: type, profiles: list[Any], *groups: str, **config: Any) -> None:
        adapter = SpawnerAdapter(
            parent=FakeHub.at(Path("/srv")), spawner_class=cls, profiles=profiles
        )
        self.choice = adapter.profile_choice()
        self.settings: dict[str, Any] = {}
        self.stored = SimpleNamespace(user_options=None, server=None, name="")
        user = SimpleNamespace(
            name="ada",
            id=1,
            groups=[SimpleNamespace(name=group) for group in groups],
            settings=self.settings,
            db=SimpleNamespace(commit=lambda: None),
            url="/user/ada/",
            escaped_name="ada",
        )
        made = spawner_class(cls, None, self.choice)
        self.spawner: Any = made(
            user=user, orm_spawner=self.stored, config=Config({cls.__name__: config})
        )
        self.spawner.log = logging.getLogger("tests")

    def start(self, **asked: Any) -> Any:
        """What JupyterHub does before it calls ``start``; nothing asked for is what was last."""
        if asked:
            self.stored.user_options = asked
        self.spawner.user_options = self.stored.user_options or {}
        self.spawner.clear_state()
        self.choice.apply(self.spawner)
        return self.spawner

    def refused(self, **asked: Any) -> HTTPError:
        with pytest.raises(HTTPError) as refused:
            self.start(**asked)
        return refused.value

    async def form(self) -> tuple[list[str], str]:
        """The names in the form, and the one that is on."""
        html = await self.spawner.get_options_form()
        on = re.findall(r'value="([a-z]+)"[^>]* checked>', html)
        return re.findall(r'type="radio".*?value="(\w+)"', html, re.DOTALL), "".join(on)


ALL = [SMALL, LARGE, GPU]


async def test_a_form_has_what_its_user_may_take() -> None:
    assert await Hub(Mine, [{"name": "a"}, {"name": "b"}]).form() == (["a", "b"], "a")
    assert await Hub(Mine, ALL).form() == (["small", "large"], "small")
    assert await Hub(Mine, ALL, "others", "staff").form() == (["small", "large", "gpu"], "small")
    default = [SMALL, LARGE | {"default": True}, GPU]
    assert await Hub(Mine, default).form() == (["small", "large"], "large")
    hidden = [SMALL, LARGE, GPU | {"default": True}]
    assert await Hub(Mine, hidden).form() == (["small", "large"], "small")
    assert await Hub(Mine, hidden, "staff").form() == (["small", "large", "gpu"], "gpu")


async def test_a_form_escapes_what_was_written_and_says_the_size() -> None:
    html = await Hub(Mine, ALL).spawner.get_options_form()
    assert "Small &amp; quick" in html
    assert "For &lt;big&gt; data" in html
    assert "8 cores, 64 GiB" in html
    assert "gpu" not in html


async def test_where_there_is_no_choice_there_is_no_form() -> None:
    hub = Hub(Mine, [SMALL, GPU])
    assert await hub.spawner.get_options_form() == ""
    assert hub.start().cpu_limit == 0.5
    assert await Hub(Mine, [GPU]).spawner.get_options_form() == ""


async def test_what_was_taken_last_is_chosen() -> None:
    hub = Hub(Mine, ALL)
    hub.start(profile="large")
    assert await hub.form() == (["small", "large"], "large")
    assert hub.start().cpu_limit == 8


async def test_who_has_lost_a_group_may_not_start_it_again() -> None:
    hub = Hub(Mine, [SMALL, GPU | {"gpus": 0, "cores": 4}], "staff")
    hub.start(profile="gpu", other="kept")
    hub.spawner.user.groups = []
    assert hub.refused().status_code == 403
    assert hub.start().cpu_limit == 0.5  # what may not be had is not asked for twice
    assert hub.spawner.user_options == {"other": "kept"}


async def test_who_has_lost_a_group_and_all_choice_is_not_stuck() -> None:
    hub = Hub(Mine, [SMALL, GPU | {"gpus": 0}], "staff")
    hub.start(profile="gpu")
    hub.spawner.user.groups = []
    assert await hub.spawner.get_options_form() == ""
    assert hub.start().cpu_limit == 0.5


@pytest.mark.parametrize(
    ("asked", "status", "said"),
    [
        ("gpu", 403, "The profile gpu is not for ada; choose one of: small, large."),
        ("huge", 400, "There is no such profile; choose one of: small, large."),
        ("", 400, "There is no such profile"),
        (["small"], 400, "The name of a profile is a text"),
        ({"name": "small"}, 400, "The name of a profile is a text"),
        (1, 400, "The name of a profile is a text"),
        (True, 400, "The name of a profile is a text"),
    ],
)
def test_what_may_not_be_asked_for_is_refused(asked: Any, status: int, said: str) -> None:
    error: Any = Hub(Mine, ALL).refused(profile=asked)
    assert error.status_code == status
    assert said in error.jupyterhub_message
    assert "gpu" not in error.jupyterhub_message or asked == "gpu"


def test_who_may_take_none_is_told() -> None:
    error: Any = Hub(Mine, [GPU], "others").refused()
    assert error.status_code == 403
    assert "No profile is for ada" in error.jupyterhub_message


def test_nothing_but_the_name_changes_anything() -> None:
    spawner = Hub(Mine, ALL).start(profile="small", cores=64, image="evil", cpu_limit=64)
    assert (spawner.cpu_limit, spawner.image) == (0.5, "")


async def test_a_form_s_fields_and_a_link_s_parameters_are_read() -> None:
    spawner = Hub(Mine, ALL).spawner
    for read in (spawner.run_options_from_form, spawner.options_from_query):
        assert await read({"profile": ["small"], "x": ["1"]}) == {"profile": "small", "x": ["1"]}
        assert await read({}) == {}
        assert await read({"profile": ["a", "b"]}) == {"profile": ["a", "b"]}


async def test_a_spawner_keeps_its_own_form(caplog: pytest.LogCaptureFixture) -> None:
    spawner = Hub(
        Mine,
        ALL,
        options_form=lambda spawner: "<b>also</b>",
        options_from_form=lambda form: {"theirs": form["x"][0]},
        apply_user_options={"theirs": "notebook_dir"},
    ).spawner
    assert (await spawner.get_options_form()).endswith("<b>also</b>")
    options = await spawner.run_options_from_form({"profile": ["small"], "x": ["1"]})
    assert options == {"profile": "small", "theirs": "1"}
    await spawner._run_apply_user_options(options)
    assert spawner.notebook_dir == "1"
    assert "profile" not in caplog.text  # as an option that nothing handles


async def test_a_spawner_need_not_know_of_profiles() -> None:
    spawner = Hub(Mine, ALL).start(profile="small", theirs="1")
    assert await spawner.start() == "http://10.0.0.1:8888"
    assert spawner.user_options == {"profile": "small", "theirs": "1"}


# What a start is given.


def test_one_profile_leaves_nothing_to_the_next() -> None:
    profiles = [
        SMALL | {"image": "small:1"},
        {"name": "plain"},
        {"name": "other", "environment": "/opt/other", "memory": "1 GiB"},
    ]
    hub = Hub(Mine, profiles, mem_limit="2G", cmd=["mine"], image="mine:1")
    for _ in range(2):
        spawner = hub.start(profile="small")
        assert (spawner.cpu_limit, spawner.mem_limit, spawner.image) == (0.5, 2**29, "small:1")
        spawner = hub.start(profile="plain")  # no stop between: the first start was cancelled
        assert (spawner.cpu_limit, spawner.mem_limit, spawner.image) == (None, 2**31, "mine:1")
        spawner = hub.start(profile="other")
        assert spawner.cmd == ["/opt/other/bin/greyhub-singleuser"]
        assert (spawner.cpu_limit, spawner.mem_limit) == (None, 2**30)
        spawner.clear_state()  # the server has stopped
        assert (spawner.cmd, spawner.mem_limit) == (["mine"], 2**31)


def test_a_pod_is_given_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for reaches in ("load_config", "shared_client"):
        monkeypatch.setattr(f"kubespawner.spawner.{reaches}", lambda *_, **__: None)
    toleration = {"key": "gpu", "operator": "Exists", "effect": "NoSchedule"}
    profile = {
        "name": "gpu",
        "cores": 4,
        "memory": "16 GiB",
        "gpus": 2,
        "image": "gpu:1",
        "environment": "/opt/gpu/",
        "node_selector": {"pool": "gpu"},
        "tolerations": [toleration],
    }
    spawner = Hub(
        KubeSpawner,
        [profile],
        node_selector={"zone": "a"},
        tolerations={"2": {"key": "b"}, "1": {"key": "a"}},
        extra_resource_limits={"example.org/fpga": "1"},
    ).start()
    assert (spawner.cpu_limit, spawner.cpu_guarantee) == (4, 4)
    assert (spawner.mem_limit, spawner.mem_guarantee) == (2**34, 2**34)
    assert spawner.extra_resource_limits == {"example.org/fpga": "1", "nvidia.com/gpu": "2"}
    assert spawner.image == "gpu:1"
    assert spawner.cmd == ["/opt/gpu/bin/greyhub-singleuser"]
    assert spawner.node_selector == {"zone": "a", "pool": "gpu"}
    assert spawner.tolerations == [{"key": "a"}, {"key": "b"}, toleration]
    spawner.clear_state()
    assert spawner.node_selector == {"zone": "a"}


def test_limits_that_nothing_enforces_promise_nothing() -> None:
    spawner = Hub(SimpleLocalProcessSpawner, [SMALL]).start()
    assert (spawner.mem_limit, spawner.cpu_limit) == (2**29, 0.5)
    assert spawner.mem_guarantee is None
