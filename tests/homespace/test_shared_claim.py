"""Homes that are directories of one claim, and go with their users, without a cluster."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from kubernetes_asyncio import client
from traitlets.config import Config

from greyhub.errors import HomeError
from greyhub.homespace import shared_claim
from greyhub.homespace.kubernetes import KubernetesHomespace
from greyhub.homespace.shared_claim import HOMES
from greyhub.kubernetes.claims import Claims
from greyhub.kubernetes.objects import USER
from tests.homespace.claims import connected_to_claims, refused, spawner
from tests.homespace.pods import FakePods
from tests.kubernetes.pod_security import refused as refused_fields
from tests.support.adapters import FakeHub

TODAY = f"{datetime.now(UTC):%Y-%m-%d}"


@pytest.fixture
def hub(tmp_path: Path) -> FakeHub:
    found = FakeHub.at(tmp_path)
    found.config = Config({"PodSpawner": {"image": "notebook:1"}})
    found.make_state()
    return found


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    """Three homes whose names begin alike, and something that is nobody's."""
    found = tmp_path / "volume"
    for user in ("ada", "ada2", "grace"):
        (found / user).mkdir(parents=True)
        (found / user / "work.txt").write_text(user)
    (found / "readme.txt").write_text("of all")
    return found


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch, volume: Path) -> FakePods:
    found = FakePods(volume)
    connected_to_claims(monkeypatch, "greyhub.homespace.kubernetes", found)
    monkeypatch.setattr("greyhub.homespace.kubernetes.PATIENCE", 0.1)
    found.add("homes")
    return found


@pytest.fixture
def adapter(hub: FakeHub, api: FakePods) -> KubernetesHomespace:
    return homes_of(hub)


def homes_of(hub: FakeHub, **options: Any) -> KubernetesHomespace:
    found = KubernetesHomespace(parent=hub, shared_claim="homes", deletion="trash", **options)
    remember(hub, **{user: f"pvc://default/homes/{user}" for user in ("ada", "ada2", "grace")})
    return found


def remembered(hub: FakeHub) -> dict[str, str]:
    return dict(json.loads((hub.private / "homes.json").read_text()))


def remember(hub: FakeHub, **homes: str) -> None:
    (hub.private / "homes.json").write_text(json.dumps(homes))


def names(volume: Path) -> list[str]:
    return sorted(path.name for path in volume.iterdir())


def test_a_home_goes_to_the_trash_and_others_stay(
    adapter: KubernetesHomespace, api: FakePods, hub: FakeHub, volume: Path
) -> None:
    adapter.contribute()
    asyncio.run(adapter.delete_user("ada"))
    assert (volume / ".trash" / TODAY / "ada" / "work.txt").read_text() == "ada"
    assert (volume / ".trash").stat().st_mode & 0o777 == 0o700
    assert names(volume) == [".trash", "ada2", "grace", "readme.txt"]
    assert set(remembered(hub)) == {"ada2", "grace"}
    assert not api.pods


def test_where_a_home_is_then_is_said(adapter: KubernetesHomespace, volume: Path) -> None:
    assert adapter.delete_home("ada", 30) == f"pvc://default/homes/.trash/{TODAY}/ada"
    (volume / "ada").mkdir()  # they came back, and go again
    assert adapter.delete_home("ada", 30) == f"pvc://default/homes/.trash/{TODAY}/ada.2"


@pytest.mark.parametrize("days", [0, 30])
def test_it_may_be_done_twice(
    adapter: KubernetesHomespace, hub: FakeHub, volume: Path, days: int
) -> None:
    before = remembered(hub)
    adapter.delete_home("ada", days)
    remember(hub, **before)  # the hub was killed before it forgot
    assert adapter.delete_home("ada", days) == ""
    assert "ada" not in remembered(hub)
    assert adapter.delete_home("ada", days) == ""
    assert (volume / ".trash" / TODAY / "ada").exists() == bool(days)


def test_a_home_is_removed_and_no_link_in_it_is_followed(
    adapter: KubernetesHomespace, volume: Path, tmp_path: Path
) -> None:
    adapter.deletion = "remove"
    outside = tmp_path / "outside"
    (outside / "deep").mkdir(parents=True)
    (outside / "deep" / "file").write_text("stays")
    for name, target in (("a", outside), ("b", outside / "deep/file"), ("c", volume / "grace")):
        (volume / "ada" / name).symlink_to(target)
    (volume / "ada" / "up").symlink_to("../grace")
    asyncio.run(adapter.delete_user("ada"))
    assert "ada" not in names(volume)
    assert list((volume / ".trash").rglob("*")) in ([], [volume / ".trash/going"])
    assert (outside / "deep" / "file").read_text() == "stays"
    assert (volume / "grace" / "work.txt").read_text() == "grace"


def test_a_home_that_is_a_link_stays(
    adapter: KubernetesHomespace, hub: FakeHub, volume: Path
) -> None:
    remember(hub, alan="pvc://default/homes/alan")
    (volume / "alan").symlink_to("grace")
    with pytest.raises(HomeError, match=r"(?s)the home alan is a link.*fix:"):
        adapter.delete_home("alan", 0)
    assert (volume / "grace" / "work.txt").exists()
    assert "alan" in remembered(hub)


def test_the_trash_is_emptied_when_its_days_are_over(
    adapter: KubernetesHomespace, volume: Path
) -> None:
    for day in ("2020-01-01", TODAY):
        (volume / ".trash" / day / "alan").mkdir(parents=True)
    (volume / ".trash" / "going" / "half").mkdir(parents=True)
    adapter.delete_home("ada", 30)
    assert names(volume / ".trash") == [TODAY]


def test_homes_below_a_directory_have_their_trash_beside_them(hub: FakeHub, api: FakePods) -> None:
    adapter = homes_of(hub, directory="people/{filename}")
    (api.volume / "people" / "alan").mkdir(parents=True)
    assert adapter.delete_home("alan", 3) == f"pvc://default/homes/people/.trash/{TODAY}/alan"


@pytest.mark.parametrize(
    "homes",
    [
        {"ada": "pvc://default/homes/ada", "other": "pvc://default/homes/ada/deep"},
        {"ada": "pvc://default/homes/ada/deep", "other": "pvc://default/homes/ada"},
        {"ada": "pvc://default/homes/ada", "other": "pvc://default/homes/ada"},
        {"ada": "pvc://default/homes/ada", "other": "pvc://default/homes"},
        {"ada": "pvc://default/homes/../ada"},
        {"ada": "pvc://default/homes/x/../../ada"},
        {"ada": "pvc://default/homes/ada/"},
        {"ada": "pvc://default/homes/."},
        {"ada": "pvc://default/homes/.trash"},
    ],
)
def test_what_is_no_home_of_its_own_is_not_touched(
    adapter: KubernetesHomespace, api: FakePods, hub: FakeHub, homes: dict[str, str]
) -> None:
    remember(hub, **homes)
    (api.volume / ".trash").mkdir()
    before = names(api.volume)
    with pytest.raises(HomeError, match=r"(?s)fix:"):
        adapter.delete_home("ada", 0)
    assert names(api.volume) == before
    assert remembered(hub) == homes


def test_a_home_that_is_elsewhere_is_not_looked_for_here(
    adapter: KubernetesHomespace, api: FakePods, hub: FakeHub
) -> None:
    remember(hub, ada="s3://homes/ada")
    with pytest.raises(HomeError, match="s3://homes/ada"):
        adapter.delete_home("ada", 0)
    assert not api.made


def mounting(home: str, claim: str = "homes", kind: str = "containers") -> dict[str, Any]:
    mount = {"name": "v", "mountPath": "/x"} | ({"subPath": home} if home else {})
    return {
        "volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": claim}}],
        kind: [{"name": "c", "volumeMounts": [mount]}],
    }


@pytest.mark.parametrize("kind", ["containers", "initContainers"])
def test_a_home_that_a_pod_has_stays(
    adapter: KubernetesHomespace, api: FakePods, hub: FakeHub, kind: str
) -> None:
    api.add_pod("worker-ada", spec=mounting("ada", kind=kind))
    with pytest.raises(HomeError, match=r"(?s)mounted in the pods worker-ada: it stays.*fix:"):
        adapter.delete_home("ada", 0)
    assert "ada" in names(api.volume)
    assert "ada" in remembered(hub)
    api.pods["worker-ada"]["status"]["phase"] = "Failed"  # an ended pod has nothing
    adapter.delete_home("ada", 0)
    assert "ada" not in names(api.volume)


@pytest.mark.parametrize(
    "spec", [mounting("ada2"), mounting("ada", "others"), mounting(""), mounting("grace"), {}]
)
def test_pods_with_something_else_keep_no_home(
    adapter: KubernetesHomespace, api: FakePods, spec: dict[str, Any]
) -> None:
    api.add_pod("other", spec=spec)
    adapter.delete_home("ada", 0)
    assert "ada" not in names(api.volume)
    assert list(api.pods) == ["other"]


def test_pods_that_are_going_are_waited_for(
    adapter: KubernetesHomespace, api: FakePods, monkeypatch: pytest.MonkeyPatch
) -> None:
    going = {"deletionTimestamp": "2026-12-01T00:00:00Z"}
    api.add_pod("server-ada", spec=mounting("ada"), metadata=going)
    monkeypatch.setattr(shared_claim, "LEAVING", 0.0)
    with pytest.raises(HomeError, match="mounted in the pods server-ada"):
        adapter.delete_home("ada", 0)
    monkeypatch.undo()
    connect(monkeypatch, api)

    async def gone(*_: Any) -> None:
        api.pods.clear()

    monkeypatch.setattr(shared_claim.asyncio, "sleep", gone)
    adapter.delete_home("ada", 0)
    assert "ada" not in names(api.volume)


def connect(monkeypatch: pytest.MonkeyPatch, api: FakePods) -> None:
    connected_to_claims(monkeypatch, "greyhub.homespace.kubernetes", api)
    monkeypatch.setattr("greyhub.homespace.kubernetes.PATIENCE", 0.1)


@pytest.mark.parametrize(
    ("spoilt", "said"),
    [
        ({"get": [ConnectionResetError("away")] * 9}, "away"),
        ({"get": [refused(503, "busy")] * 9}, "it answers 503"),
        ({"list pods": [refused(403, "pods is forbidden")]}, "pods is forbidden"),
        ({"create pod": [refused(403, "exceeded quota: small")]}, "quota of the platform's"),
        ({"create pod": [refused(403, "violates PodSecurity")]}, "violates PodSecurity"),
        ({"create pod": [ConnectionResetError("away")] * 9}, "away"),
    ],
)
def test_an_answer_that_is_not_known_keeps_the_home(
    adapter: KubernetesHomespace,
    api: FakePods,
    hub: FakeHub,
    spoilt: dict[str, list[Exception]],
    said: str,
) -> None:
    api.spoilt = spoilt
    with pytest.raises(HomeError, match=f"(?s)home of ada was not removed.*{said}.*fix:"):
        adapter.delete_home("ada", 0)
    assert "ada" in names(api.volume)
    assert "ada" in remembered(hub)


def test_a_claim_that_is_not_there_is_no_home_that_is_gone(
    adapter: KubernetesHomespace, api: FakePods, hub: FakeHub
) -> None:
    api.claims.clear()
    with pytest.raises(HomeError, match=r"(?s)the claim homes.* is not in.*nothing was removed"):
        adapter.delete_home("ada", 0)
    assert "ada" in remembered(hub)


def test_a_create_whose_reply_was_lost_is_found(
    adapter: KubernetesHomespace, api: FakePods, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("greyhub.homespace.kubernetes.PATIENCE", 5.0)
    api.spoilt = {"lost pod": [ConnectionResetError()]}
    assert adapter.delete_home("ada", 30)
    assert len(api.made) == 1
    assert not api.pods


def test_work_that_is_done_before_its_pod_is_said_to_run(
    adapter: KubernetesHomespace, api: FakePods
) -> None:
    """The container has ended, and the pod's phase is Pending for a moment still."""
    seen: list[dict[str, Any]] = []

    def works(pod: dict[str, Any]) -> str:
        ended = {"name": "work", "state": {"terminated": {"exitCode": 0, "reason": "Completed"}}}
        pod["status"] = {"phase": "Pending", "containerStatuses": [ended]}
        seen.append(pod)
        return api.remove(pod)

    api.works = works
    assert adapter.delete_home("ada", 30)
    assert seen


def test_a_pod_that_ends_without_a_report_is_said_with_its_log(
    adapter: KubernetesHomespace, api: FakePods, hub: FakeHub
) -> None:
    api.works = lambda pod: "Traceback\nModuleNotFoundError: No module named 'greyhub'\n"
    api.phase = "Failed"
    with pytest.raises(HomeError, match=r"(?s)without a report.*No module named 'greyhub'"):
        adapter.delete_home("ada", 0)
    assert "ada" in remembered(hub)
    assert not api.pods


def test_what_the_pod_may_not_do_is_said(
    adapter: KubernetesHomespace, api: FakePods, hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(*_: Any) -> str:
        raise PermissionError(13, "Permission denied", f"{api.volume}/ada")

    monkeypatch.setattr("greyhub.homespace.remove_in_pod.remove_home", denied)
    with pytest.raises(HomeError, match=r"(?s)denied: 'ada'.*ran as uid.*fix:.*owner_image"):
        adapter.delete_home("ada", 0)
    assert "ada" in remembered(hub)


def start(adapter: KubernetesHomespace, api: FakePods, user: str = "ada") -> Any:
    return asyncio.run(adapter.ticket(spawner(api, user)))


def begun(adapter: KubernetesHomespace, api: FakePods) -> dict[str, Any]:
    """A pod whose hub was killed before it began: its image is still pulled."""
    api.phase = "Pending"

    async def kill() -> None:
        task = asyncio.get_running_loop().create_task(adapter.removals.delete("ada", 0))
        await api.until_made()
        left = dict(api.pods)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        api.pods |= left  # nobody was there to end it

    asyncio.run(kill())
    [pod] = api.pods.values()
    api.phase = "Succeeded"
    return pod


def test_a_start_ends_what_would_remove_the_home_under_it(
    adapter: KubernetesHomespace, api: FakePods
) -> None:
    begun(adapter, api)
    api.add_pod("another's")
    assert start(adapter, api, "grace")
    assert len(api.pods) == 2
    assert start(adapter, api)
    assert list(api.pods) == ["another's"]


def test_what_is_not_known_to_have_ended_lets_nobody_start(
    adapter: KubernetesHomespace, api: FakePods, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun(adapter, api)
    api.spoilt = {"get pod": [refused(500, "no")] * 99}
    monkeypatch.setattr("greyhub.kubernetes.objects.SHORT", 0.1)
    with pytest.raises(HomeError, match="the home of ada is not there"):
        start(adapter, api)
    api.spoilt = {}

    async def stays(*_: Any, **__: Any) -> None:
        """Its node does not answer."""

    monkeypatch.setattr(api, "delete_namespaced_pod", stays)
    monkeypatch.setattr("greyhub.kubernetes.pod_run.ENDING", 0.1)
    with pytest.raises(HomeError, match=r"(?s)does not end.*fix: try again"):
        start(adapter, api)


def test_a_start_while_the_home_is_removed_is_refused(
    adapter: KubernetesHomespace, api: FakePods
) -> None:
    async def both() -> None:
        api.phase = "Pending"
        task = asyncio.get_running_loop().create_task(adapter.removals.delete("ada", 0))
        await api.until_made()
        with pytest.raises(HomeError, match=r"(?s)is being removed.*fix:"):
            await adapter.ticket(spawner(api))
        assert await adapter.ticket(spawner(api, "grace"))
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        assert not api.pods  # a command that is ended ends its pod
        assert await adapter.ticket(spawner(api))

    asyncio.run(both())


def test_a_hub_that_starts_ends_what_an_earlier_one_has_left(
    adapter: KubernetesHomespace,
    api: FakePods,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    pod = begun(adapter, api)
    assert pod["metadata"]["annotations"][USER] == "ada"
    api.add_pod("theirs", metadata={"labels": {HOMES: "another"}})
    api.add_pod("server")
    api.spoilt = {"list pods": [refused(403, "not yet")]}

    async def starts() -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("greyhub.homespace.removals.PAUSES", (0.0,))
            adapter.hub_starts(None)
            await asyncio.gather(*asyncio.all_tasks() - {asyncio.current_task()})

    asyncio.run(starts())
    assert set(api.pods) == {"theirs", "server"}
    assert "the home of ada was being removed" in caplog.text


def test_what_is_left_of_an_earlier_time_is_ended_first(
    adapter: KubernetesHomespace, api: FakePods, hub: FakeHub
) -> None:
    left = begun(adapter, api)
    assert adapter.delete_home("ada", 0) == ""
    assert "ada" not in names(api.volume)
    assert len(api.made) == 2
    assert api.made[1]["metadata"]["name"] == left["metadata"]["name"]
    assert not api.pods


def test_two_at_once_do_it_one_after_the_other(
    adapter: KubernetesHomespace, api: FakePods, hub: FakeHub, volume: Path
) -> None:
    async def both() -> list[str]:
        api.phase = "Pending"
        tasks = [
            asyncio.get_running_loop().create_task(adapter.removals.delete("ada", 30))
            for _ in range(2)
        ]
        await api.until_made()
        [name] = api.pods
        # A hub that starts meanwhile, as far as it knows, ends only what is another's.
        assert await adapter.removals.shared(Claims(api, "default", 1)).end_removals(["ada"]) == []
        assert list(api.pods) == [name]
        api.phase = "Succeeded"
        api.finish(name)
        return await asyncio.gather(*tasks)

    assert asyncio.run(both()) == [f"pvc://default/homes/.trash/{TODAY}/ada", ""]
    assert len(api.made) == 2
    assert "ada" not in adapter.removals
    assert names(volume / ".trash" / TODAY) == ["ada"]


def test_a_pod_that_took_anothers_place_is_not_ended_with_it(
    adapter: KubernetesHomespace, api: FakePods, hub: FakeHub
) -> None:
    """A hub and a command at once: the later one goes on."""

    async def replaced() -> None:
        api.phase = "Pending"
        task = asyncio.get_running_loop().create_task(adapter.removals.delete("ada", 0))
        await api.until_made()
        [name] = api.pods
        api.add_pod(name, "Running", metadata={"uid": "another's"})
        with pytest.raises(HomeError, match=r"(?s)deleted by others.*fix:"):
            await task
        assert api.pods[name]["metadata"]["uid"] == "another's"

    asyncio.run(replaced())
    assert "ada" in remembered(hub)


def manifest(adapter: KubernetesHomespace, api: FakePods) -> dict[str, Any]:
    adapter.delete_home("ada", 0)
    return api.made[-1]


def test_the_pod_is_as_servers_are_and_restricted(
    adapter: KubernetesHomespace, api: FakePods, hub: FakeHub
) -> None:
    more = {"uid": 1234, "fs_gid": 55, "image_pull_policy": "Always"}
    hub.config.merge(Config({"KubeSpawner": more}))
    pod = manifest(adapter, api)
    spec = pod["spec"]
    assert refused_fields(pod) == []
    assert spec["securityContext"]["runAsUser"] == 1234
    assert spec["securityContext"]["fsGroup"] == 55
    assert spec["containers"][0]["image"] == "notebook:1"
    assert spec["containers"][0]["imagePullPolicy"] == "Always"
    assert set(spec["containers"][0]["resources"]) == {"requests", "limits"}
    assert spec["automountServiceAccountToken"] is False
    assert pod["metadata"]["labels"][HOMES] == adapter.hub_label
    assert spec["activeDeadlineSeconds"] > 0


def test_root_removes_where_root_makes_homes(hub: FakeHub, api: FakePods, volume: Path) -> None:
    spec = manifest(homes_of(hub, owner_image="busybox:1"), api)["spec"]
    security = spec["containers"][0]["securityContext"]
    assert security["runAsUser"] == 0
    assert security["capabilities"] == {"drop": ["ALL"], "add": ["DAC_OVERRIDE", "FOWNER"]}


def test_a_directory_of_any_name_reaches_the_pod(
    adapter: KubernetesHomespace, api: FakePods, hub: FakeHub, volume: Path
) -> None:
    odd = "a$(HOME) %41 ☃"
    (volume / odd).mkdir()
    remember(hub, ada=f"pvc://default/homes/{odd}")
    adapter.delete_home("ada", 0)
    assert odd not in names(volume)
    [variable] = api.made[-1]["spec"]["containers"][0]["env"]
    assert "$(" not in variable["value"].replace("$$", "")


def test_a_hub_keeps_all_where_it_is_told_to(
    adapter: KubernetesHomespace, api: FakePods, volume: Path
) -> None:
    adapter.deletion = "keep"
    before = names(volume)
    asyncio.run(adapter.delete_user("ada"))
    assert names(volume) == before
    assert not api.made


def test_the_name_is_the_same_every_time_and_another_hubs_is_another(
    adapter: KubernetesHomespace, api: FakePods, tmp_path: Path
) -> None:
    for _ in range(2):
        adapter.delete_home("ada", 0)
    (tmp_path / "other").mkdir()
    other = FakeHub.at(tmp_path / "other")
    other.config = adapter.parent.config
    other.make_state()
    homes_of(other).delete_home("ada", 0)
    one, again, another = (each["metadata"]["name"] for each in api.made)
    assert one == again != another
    assert client.V1ObjectMeta(name=one).name == one
