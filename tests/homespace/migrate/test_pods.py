"""What is given to the pod that copies a home from or to a claim, and what it says."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from traitlets.config import Config

from greyhub.errors import HomeError
from greyhub.homespace.kubernetes import KubernetesHomespace
from greyhub.homespace.migrate import in_pod as in_pod_module
from greyhub.homespace.migrate import pods
from greyhub.homespace.migrate.copying import Copied
from greyhub.homespace.migrate.in_pod import JOB, OF_THE_VOLUME
from greyhub.homespace.migrate.locations import Location
from greyhub.homespace.migrate.opening import endpoints
from greyhub.homespace.migrate.pods import Work
from greyhub.homespace.migrate.users import PlatformHomes
from greyhub.homespace.sync.plan import UNREADABLE
from greyhub.homespace.sync.progress import Progress
from greyhub.kubernetes.claims import TRASHED, USER, ClaimUrl
from greyhub.kubernetes.home_pod import PodSettings
from tests.homespace.claims import FakeClaims, connected_to_claims
from tests.homespace.migrate.conftest import full, picture
from tests.support.adapters import FakeHub

SECRET = "canary-5d1e"
CLAIM, STORE = "pvc://default/claim-ada", "s3://homes/ada"
OPTIONS = {"key": {"env": "STORE_SECRET"}, "nested": {"keys": [{"env": "STORE_SECRET"}]}}


@pytest.fixture(autouse=True)
def _secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORE_SECRET", SECRET)


def made(work: Work, settings: PodSettings | None = None) -> dict[str, Any]:
    ends = {side: ClaimUrl.read(getattr(work, side).url) for side in ("source", "target")}
    return pods.manifest(work, ends, settings or PodSettings("image:1"))


def job(pod: dict[str, Any]) -> Any:
    [variable] = pod["spec"]["containers"][0]["env"]
    assert variable["name"] == JOB
    return json.loads(variable["value"].replace("$$", "$"))


def test_a_secret_is_in_a_secret_alone() -> None:
    work = Work("ada", Location(CLAIM), Location(STORE, OPTIONS))
    pod = made(work)
    assert SECRET not in json.dumps(pod)
    assert SECRET not in repr(work)
    assert list(work.secrets.values()) == [SECRET, SECRET]
    first, second = work.secrets
    there = {"key": {"env": first}, "nested": {"keys": [{"env": second}]}}
    assert job(pod)["target"] == [STORE, there]
    assert (
        pod["spec"]["containers"][0]["envFrom"][0]["secretRef"]["name"] == (pod["metadata"]["name"])
    )


def test_a_secret_that_is_not_there_is_said() -> None:
    with pytest.raises(HomeError, match=r"(?s)the variable NOWHERE, which is not set.*fix:"):
        made(Work("ada", Location(CLAIM), Location(STORE, {"key": {"env": "NOWHERE"}})))


def test_the_source_is_not_written_to() -> None:
    pod = made(Work("ada", Location(CLAIM), Location("pvc://default/homes/a/%41da")))
    source, target = pod["spec"]["containers"][0]["volumeMounts"]
    assert source == {"name": "source", "mountPath": "/greyhub/source", "readOnly": True}
    assert target == {"name": "target", "mountPath": "/greyhub/target", "subPath": "a/%41da"}
    assert job(pod)["source"] == ["/greyhub/source"]


def test_the_pod_is_as_the_servers_are() -> None:
    config = Config(
        {
            "KubeSpawner": {"image": "notebook:1", "uid": 1234, "image_pull_secrets": ["one"]},
            "PodSpawner": {"fs_gid": 55, "image_pull_secrets": [{"name": "two"}]},
            "KubernetesHomespace": {"owner_image": "busybox:1"},
        }
    )
    pod = made(Work("ada", Location(STORE), Location(CLAIM)), PodSettings.of(config))["spec"]
    assert pod["containers"][0]["image"] == "notebook:1"
    assert pod["securityContext"]["runAsUser"] == 1234
    assert pod["securityContext"]["fsGroup"] == 55
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["imagePullSecrets"] == [{"name": "two"}]
    [first] = pod["initContainers"]
    assert first["command"][-2:] == ["/greyhub/target", "1234:1234"]
    assert pod["activeDeadlineSeconds"] > 0
    assert PodSettings.of(config, "other:1").image == "other:1"
    with pytest.raises(HomeError, match=r"(?s)of which image.*fix:.*--image"):
        PodSettings.of(Config())


def test_the_name_is_the_same_every_time_and_another_ones_is_another() -> None:
    names = [
        made(Work(user, Location(source), Location(STORE)))["metadata"]["name"]
        for user, source in (("ada", CLAIM), ("ada", CLAIM), ("grace", CLAIM), ("ada", CLAIM + "2"))
    ]
    assert names[0] == names[1]
    assert len(set(names)) == 3


def in_pod(work: dict[str, Any]) -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-m", "greyhub.homespace.migrate.in_pod"],
        env={**os.environ, JOB: json.dumps(work)},
        capture_output=True,
        text=True,
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.processes
def test_what_the_pod_does(tmp_path: Path) -> None:
    source, target = full(tmp_path / "source"), tmp_path / "target"
    target.mkdir()
    work = {"source": [str(source)], "target": [str(target)], "dry": False, "empty": False}
    *_, last = in_pod({**work, "check": True})
    progress = Progress(lambda: 0.0)
    report = pods._heard(json.dumps(last), progress)
    assert report is not None
    assert report.whole
    assert report.files == 14
    assert picture(target) == picture(source)
    *_, last = in_pod({**work, "source": [str(tmp_path / "nowhere")], "check": True})
    with pytest.raises(HomeError, match="there is no home at"):
        pods._heard(json.dumps(last), progress)


def test_what_is_the_volumes_own_is_not_a_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new file system has a directory at its top that root alone reads."""

    def copying(*_: Any, **__: Any) -> Any:
        failed = {OF_THE_VOLUME: UNREADABLE, "mine": UNREADABLE}
        return SimpleNamespace(run=lambda **_: Copied("", "", failed=failed))

    monkeypatch.setattr("greyhub.homespace.migrate.in_pod.Copying", copying)
    work = {"source": [str(tmp_path / "a")], "target": [str(tmp_path / "b")]}
    how = {"check": True, "dry": False, "empty": True}
    assert in_pod_module.copied({**work, **how}, Progress(lambda: 0.0))["failed"] == {
        "mine": UNREADABLE
    }


def test_what_the_pod_says() -> None:
    progress = Progress(lambda: 0.0)
    assert pods._heard("a warning", progress) is None
    assert pods._heard("[1]", progress) is None
    said = {"progress": {"files": 7, "size": 70, "done": 3, "bytes": 30, "clock": 1}}
    assert pods._heard(json.dumps(said), progress) is None
    assert (progress.files, progress.size, progress.done, progress.bytes) == (7, 70, 3, 30)
    assert callable(progress.clock)


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> FakeClaims:
    return connected_to_claims(monkeypatch, "greyhub.homespace.migrate.pods")


@pytest.mark.parametrize(
    ("source", "target", "said"),
    [
        ("/srv/homes/ada", CLAIM, "/srv/homes/ada is a directory of this machine"),
        (CLAIM, "file:///srv/homes/ada", "/srv/homes/ada is a directory of this machine"),
        (CLAIM, "pvc://elsewhere/claim-ada", "claims of two namespaces, default and elsewhere"),
        (CLAIM, f"{CLAIM}/x", "are one home, or one is in the other"),
        (CLAIM, STORE, "there is no claim claim-ada in the namespace default"),
    ],
)
def test_what_cannot_be_copied_is_said(
    api: FakeClaims, source: str, target: str, said: str
) -> None:
    work = Work("ada", Location(source), Location(target))
    with pytest.raises(HomeError, match=said):
        pods.copy(work, PodSettings("image:1"), Progress(lambda: 0.0), lambda: None)
    assert not api.claims


@pytest.mark.parametrize(
    ("about", "said"),
    [
        ({"annotations": {USER: "grace"}}, "is the home of 'grace'"),
        ({"labels": {TRASHED: "2026-11-21"}}, "is in the trash"),
        ({"deletionTimestamp": "2026-11-21T00:00:00Z"}, "is being deleted"),
    ],
)
def test_nothing_is_copied_into_anothers_claim(
    tmp_path: Path, api: FakeClaims, about: dict[str, Any], said: str
) -> None:
    homes = PlatformHomes.of_platform(
        KubernetesHomespace(parent=FakeHub.at(tmp_path), claim_name="claim-{username}")
    )
    api.add("claim-ada", **about)
    work = Work("ada", Location(STORE), homes.of("ada", remembered=False))
    with pytest.raises(HomeError, match=said):
        pods.copy(work, PodSettings("image:1"), Progress(lambda: 0.0), lambda: None)


def test_the_claims_of_a_platform_are_made(tmp_path: Path, api: FakeClaims) -> None:
    homes = PlatformHomes.of_platform(
        KubernetesHomespace(parent=FakeHub.at(tmp_path), claim_name="claim-{username}")
    )
    place = homes.of("Ada@x", remembered=False)
    home = ClaimUrl.read(place.url)
    assert home is not None
    claims = pods.Claims(api, "default", 1)
    with pytest.raises(HomeError, match="there is no claim"):  # a source is never made
        asyncio.run(pods._there(claims, home, "Ada@x", place, make=False))
    asyncio.run(pods._there(claims, home, "Ada@x", place, make=True))
    assert list(api.claims) == [home.claim]
    assert api.claims[home.claim]["metadata"]["annotations"] == {USER: "Ada@x"}


def test_places_of_users(tmp_path: Path) -> None:
    plain = PlatformHomes("pvc://hub/claim-{username}")
    assert plain.of("ada", remembered=True).url == "pvc://hub/claim-ada"
    old = PlatformHomes("pvc://hub/claim-{escaped_username}")
    assert old.tells_users_apart
    assert old.of("a.b", remembered=True).url == "pvc://hub/claim-a-2eb"
    assert not PlatformHomes("pvc://hub/claim").tells_users_apart
    with pytest.raises(HomeError, match="name them, with --user"):
        plain.users(["ada"])
    hub = FakeHub.at(tmp_path)
    adapter = KubernetesHomespace(parent=hub)
    hub.make_state()
    adapter.registry.remember("ada", CLAIM)
    assert PlatformHomes.of_platform(adapter).users(["grace"]) == ["ada"]
    assert PlatformHomes.of_platform(adapter).of("ada", remembered=True).url == CLAIM


def test_a_claim_is_compared_nowhere_else(tmp_path: Path) -> None:
    with (
        pytest.raises(HomeError, match=r"(?s)is a claim, which is not reached from here.*fix:"),
        endpoints(Location(CLAIM), Location(str(tmp_path / "x")), tmp_path / "state"),
    ):
        pass
