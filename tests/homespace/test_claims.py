"""Homes on claims, decided without a cluster: whose is which, what is made, what goes."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from kubernetes_asyncio import client
from traitlets import TraitError
from traitlets.config import Config

from greyhub.errors import ConfigError, HomeError
from greyhub.homespace import HomespaceAdapter
from greyhub.homespace.kubernetes import KubernetesHomespace
from greyhub.kubernetes.claims import HUB, TRASHED, USER, ClaimUrl, check_shared, quantity
from greyhub.kubernetes.home_volume import NAME
from greyhub.kubernetes.names import hub_label
from greyhub.singleuser import enter_home, is_mounted
from tests.homespace.claims import FakeClaims, connected_to_claims, opened, refused, spawner
from tests.support.adapters import FakeHub, ticket


@pytest.fixture
def hub(tmp_path: Path) -> FakeHub:
    return FakeHub.at(tmp_path)


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> FakeClaims:
    """Claims in memory, also where no spawner brings a client."""
    return connected_to_claims(monkeypatch, "greyhub.homespace.kubernetes")


def remembered(hub: FakeHub) -> dict[str, str]:
    return dict(json.loads((hub.private / "homes.json").read_text()))


def remember(hub: FakeHub, **homes: str) -> None:
    hub.make_state()
    (hub.private / "homes.json").write_text(json.dumps(homes))


def test_a_claim_is_made_once_and_says_whose_it_is(hub: FakeHub, api: FakeClaims) -> None:
    adapter = KubernetesHomespace(
        parent=hub, size="5Gi", storage_class="fast", access_mode="ReadWriteMany"
    )
    name = opened(adapter, api, "Ada Lovelace")
    assert opened(adapter, api, "Ada Lovelace") == name
    [claim] = api.claims.values()
    assert name.startswith("home-ada-lovelace-")
    assert claim["metadata"]["annotations"] == {USER: "Ada Lovelace"}
    assert claim["metadata"]["labels"][HUB] == adapter.hub_label
    assert claim["spec"] == {
        "accessModes": ["ReadWriteMany"],
        "resources": {"requests": {"storage": "5Gi"}},
        "storageClassName": "fast",
    }
    assert remembered(hub) == {"Ada Lovelace": f"pvc://default/{name}"}
    assert api.calls.count("create") == 1


def test_the_ticket_says_where_the_home_is(hub: FakeHub, api: FakeClaims) -> None:
    adapter = KubernetesHomespace(parent=hub, mount_path="/home/ada")
    found = asyncio.run(adapter.ticket(spawner(api)))
    assert found == {"mode": "native", "path": "/home/ada", "volume": remembered(hub)["ada"]}


def test_a_create_whose_reply_was_lost_makes_one_claim(hub: FakeHub, api: FakeClaims) -> None:
    api.spoilt = {"lost": [ConnectionResetError()], "get": [refused(503, "busy")]}
    name = opened(KubernetesHomespace(parent=hub), api)
    assert list(api.claims) == [name]
    assert api.calls.count("create") == 2


def test_a_hub_that_was_killed_after_the_create_finds_it(hub: FakeHub, api: FakeClaims) -> None:
    adapter = KubernetesHomespace(parent=hub)
    name = opened(adapter, api)
    (hub.private / "homes.json").unlink()
    assert opened(adapter, api) == name
    assert list(api.claims) == [name]


def test_two_hubs_in_one_namespace_have_claims_of_their_own(
    tmp_path: Path, api: FakeClaims
) -> None:
    one, other = FakeHub.at(tmp_path / "one"), FakeHub.at(tmp_path / "other")
    for each in (one, other):
        each.directory.mkdir()
        opened(KubernetesHomespace(parent=each), api)
    assert len(api.claims) == 2
    hooked = FakeHub.at(tmp_path / "other")
    hooked.config = Config({"PodSpawner": {"hub_id": "teaching"}})
    assert KubernetesHomespace(parent=hooked).hub_label == hub_label("teaching")


def test_a_remembered_claim_that_is_gone_is_no_new_home(hub: FakeHub, api: FakeClaims) -> None:
    adapter = KubernetesHomespace(parent=hub)
    name = opened(adapter, api)
    api.claims.clear()
    with pytest.raises(HomeError, match=f"was on the claim {name}, and it is not there") as said:
        opened(adapter, api)
    assert "greyhub home delete ada" in str(said.value)
    assert not api.claims
    assert adapter.delete_home("ada", 30) == ""
    assert opened(adapter, api)


def test_what_is_not_known_is_not_gone(hub: FakeHub, api: FakeClaims) -> None:
    adapter = KubernetesHomespace(parent=hub)
    opened(adapter, api)
    for trouble in (ConnectionResetError("away"), refused(503, "busy"), refused(403, "not yours")):
        api.spoilt = {"get": [trouble] * 20}
        with pytest.raises(HomeError, match=r"(?s)the home of ada is not there.*fix:"):
            opened(adapter, api)
    assert api.calls.count("create") == 1


def test_a_template_takes_over_what_is_there(hub: FakeHub, api: FakeClaims) -> None:
    api.add("claim-ada", annotations={USER: "ada"})
    api.add("claim-grace-40x")  # as KubeSpawner named it before version 7
    adapter = KubernetesHomespace(parent=hub, claim_name="claim-{username}")
    before = json.dumps(api.claims)
    assert opened(adapter, api, "ada") == "claim-ada"
    assert opened(adapter, api, "grace@x") == "claim-grace-40x"
    assert json.dumps(api.claims) == before
    assert opened(adapter, api, "alan") == "claim-alan"
    # From now on the template says nothing of them.
    adapter.claim_name = "other-{username}"
    assert opened(adapter, api, "grace@x") == "claim-grace-40x"


def test_the_claim_that_kubespawner_remembers_comes_first(hub: FakeHub, api: FakeClaims) -> None:
    api.add("claim-ada")
    api.add("by-another-template")
    adapter = KubernetesHomespace(parent=hub, claim_name="claim-{username}")
    assert opened(adapter, api, pvc_name="by-another-template") == "by-another-template"
    own = opened(KubernetesHomespace(parent=hub), api, "grace", pvc_name="claim-grace")
    assert own.startswith("home-grace-")


@pytest.mark.parametrize(
    ("about", "said"),
    [
        ({"annotations": {USER: "Ada"}}, "is the home of 'Ada' by its annotation"),
        ({"labels": {HUB: "another"}}, "belongs to another hub"),
        ({"deletionTimestamp": "2026-01-01T00:00:00Z"}, "is being deleted"),
    ],
)
def test_another_ones_claim_is_left_alone(
    hub: FakeHub, api: FakeClaims, about: dict[str, Any], said: str
) -> None:
    api.add("claim-ada", **about)
    adapter = KubernetesHomespace(parent=hub, claim_name="claim-{username}")
    with pytest.raises(HomeError, match=said) as refusal:
        opened(adapter, api)
    assert "fix:" in str(refusal.value)
    assert not (hub.private / "homes.json").exists()


def test_two_users_never_have_one_home(hub: FakeHub, api: FakeClaims) -> None:
    api.add("homes")
    remember(hub, grace="pvc://default/homes/ada")
    adapter = KubernetesHomespace(parent=hub, shared_claim="homes")
    with pytest.raises(HomeError, match="would be that of grace"):
        opened(adapter, api)
    assert "ada" not in remembered(hub)


def test_homes_that_are_elsewhere_are_said(hub: FakeHub, api: FakeClaims) -> None:
    remember(hub, ada="s3://homes/ada", grace="pvc://away/home-grace")
    adapter = KubernetesHomespace(parent=hub)
    with pytest.raises(HomeError, match="at s3://homes/ada, and not on a claim"):
        opened(adapter, api)
    with pytest.raises(HomeError, match="in the namespace away"):
        opened(adapter, api, "grace")
    with pytest.raises(HomeError, match=r"pvc://away/home-grace, a claim, and not at s3:"):
        ticket(HomespaceAdapter(parent=hub, url="s3://homes/{username}"), "grace")


@pytest.mark.parametrize(
    ("has", "wanted", "phase", "grown"),
    [
        ("1Gi", "2Gi", "Bound", True),
        ("2Gi", "2048Mi", "Bound", False),
        ("2Gi", "1Gi", "Bound", False),
        ("1Gi", "2Gi", "Pending", False),
    ],
)
def test_claims_grow_and_never_shrink(
    hub: FakeHub, api: FakeClaims, has: str, wanted: str, phase: str, grown: bool
) -> None:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": has}}}
    api.add("claim-ada", spec=spec, phase=phase)
    opened(KubernetesHomespace(parent=hub, claim_name="claim-{username}", size=wanted), api)
    asks = api.claims["claim-ada"]["spec"]["resources"]["requests"]["storage"]
    assert asks == (wanted if grown else has)


def test_a_class_that_does_not_let_grow_is_said_and_the_start_goes_on(
    hub: FakeHub, api: FakeClaims, caplog: pytest.LogCaptureFixture
) -> None:
    adapter = KubernetesHomespace(parent=hub)
    name = opened(adapter, api)
    api.claims[name]["status"]["phase"] = "Bound"
    api.spoilt = {"patch": [refused(403, "the storageclass must support resize")]}
    adapter.size = "20Gi"
    assert opened(adapter, api) == name
    assert "does not grow to 20Gi: the cluster does not allow it" in caplog.text
    assert "must support resize" in caplog.text


class TestTheEndOfAUser:
    """``deletion``."""

    @pytest.fixture
    def adapter(self, hub: FakeHub, api: FakeClaims) -> KubernetesHomespace:
        adapter = KubernetesHomespace(parent=hub)
        opened(adapter, api)
        return adapter

    def test_keep(self, adapter: KubernetesHomespace, api: FakeClaims) -> None:
        assert not adapter.deletes_with_user
        asyncio.run(adapter.delete_user("ada"))
        assert len(api.claims) == 1

    def test_remove(self, adapter: KubernetesHomespace, api: FakeClaims, hub: FakeHub) -> None:
        adapter.deletion = "remove"
        for _ in range(2):
            asyncio.run(adapter.delete_user("ada"))
            assert not api.claims
            assert remembered(hub) == {}

    def test_trash(self, adapter: KubernetesHomespace, api: FakeClaims, hub: FakeHub) -> None:
        adapter.deletion = "trash"
        asyncio.run(adapter.delete_user("ada"))
        [(old, claim)] = api.claims.items()
        assert len(claim["metadata"]["labels"][TRASHED]) == len("2026-11-21")
        assert remembered(hub) == {}
        # Who comes back gets another.
        new = opened(adapter, api)
        assert new != old
        assert opened(adapter, api) == new
        # It is gone some days later, when another user is deleted.
        claim["metadata"]["labels"][TRASHED] = "2020-01-01"
        opened(adapter, api, "grace")
        asyncio.run(adapter.delete_user("grace"))
        assert old not in api.claims
        assert new in api.claims

    def test_what_is_in_the_trash_is_nobodys(
        self, adapter: KubernetesHomespace, api: FakeClaims
    ) -> None:
        for days in (30, 0, 30):
            adapter.delete_home("ada", days)
            assert len(api.claims) == 1

    def test_out_of_the_trash(self, adapter: KubernetesHomespace, api: FakeClaims) -> None:
        [old] = api.claims
        adapter.delete_home("ada", 30)
        del api.claims[old]["metadata"]["labels"][TRASHED]
        assert opened(adapter, api) == old

    def test_a_deletion_that_was_begun_and_a_user_who_stays(
        self, adapter: KubernetesHomespace, api: FakeClaims, hub: FakeHub
    ) -> None:
        before = remembered(hub)
        adapter.delete_home("ada", 30)
        remember(hub, **before)  # the hub was killed between the two
        [claim] = api.claims.values()
        claim["metadata"]["labels"][TRASHED] = "2020-01-01"
        opened(adapter, api, "grace")
        adapter.delete_home("grace", 30)
        assert claim in api.claims.values()
        opened(adapter, api)
        assert TRASHED not in claim["metadata"]["labels"]

    def test_a_claim_that_was_taken_over_goes_as_it_is_asked(
        self, adapter: KubernetesHomespace, api: FakeClaims
    ) -> None:
        api.add("claim-grace")
        adapter.claim_name = "claim-{username}"
        assert adapter.delete_home("grace", 0) == ""
        assert "claim-grace" in api.claims  # nothing says that it is theirs
        opened(adapter, api, "grace")
        adapter.delete_home("grace", 0)
        assert "claim-grace" not in api.claims

    def test_what_was_made_and_not_remembered_goes_too(
        self, adapter: KubernetesHomespace, api: FakeClaims, hub: FakeHub
    ) -> None:
        remember(hub)
        adapter.delete_home("ada", 0)
        assert not api.claims

    @pytest.mark.parametrize(
        "about", [{"annotations": {USER: "grace"}}, {"labels": {HUB: "another"}}]
    )
    def test_another_ones_is_not_removed(
        self, adapter: KubernetesHomespace, api: FakeClaims, about: dict[str, Any]
    ) -> None:
        [name] = api.claims
        api.claims[name]["metadata"] |= about
        with pytest.raises(HomeError):
            adapter.delete_home("ada", 0)
        assert api.claims

    def test_one_that_is_anothers_too_is_not_removed(
        self, adapter: KubernetesHomespace, api: FakeClaims, hub: FakeHub
    ) -> None:
        [name] = api.claims
        remember(hub, ada=f"pvc://default/{name}", grace=f"pvc://default/{name}/grace")
        with pytest.raises(HomeError, match="is also grace's"):
            adapter.delete_home("ada", 0)
        assert api.claims

    def test_an_outage_keeps_the_user(
        self, adapter: KubernetesHomespace, api: FakeClaims, hub: FakeHub
    ) -> None:
        api.spoilt = {"delete": [refused(403, "no")]}
        with pytest.raises(HomeError, match="was not removed"):
            adapter.delete_home("ada", 0)
        assert "ada" in remembered(hub)


def test_a_shared_claim_has_a_directory_for_each(hub: FakeHub, api: FakeClaims) -> None:
    adapter = KubernetesHomespace(parent=hub, shared_claim="homes")
    with pytest.raises(HomeError, match="the claim homes, which holds the homes, is not in"):
        opened(adapter, api)
    api.add("homes")
    for user, folder in (("ada", "ada"), ("../x", "%2E.%2Fx"), ("Ada", "%41da")):
        starting = spawner(api, user)
        asyncio.run(adapter.ticket(starting))
        assert starting.modify_pod_hook.home.directory == folder
    assert list(api.claims) == ["homes"]


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("size", "10 GB", "write it as Kubernetes does"),
        ("size", "much", "is no size"),
        ("claim_name", "claim", "would be one for all"),
        ("claim_name", "claim-{userid}", "braces that name nothing"),
        ("claim_name", "claim-{username.__class__}", "braces that name nothing"),
        ("claim_name", "claim-{servername}", "would be one for all"),
        ("claim_name", "claim/{username}", "not what a claim can be called"),
        ("claim_name", "claim-{filename}", "not what a claim can be called"),
        ("directory", "../{username}", "leads out"),
        ("directory", "/{username}", "leads out"),
        ("mount_path", "home", "no absolute path"),
        ("mount_path", "/", "no absolute path"),
        ("access_mode", "ReadOnlyMany", "access_mode"),
    ],
)
def test_what_cannot_be_is_refused(hub: FakeHub, option: str, value: str, said: str) -> None:
    with pytest.raises(TraitError, match=said):
        KubernetesHomespace(parent=hub, **{option: value})


@pytest.mark.parametrize(
    ("options", "config", "said"),
    [
        ({"shared_claim": "homes", "claim_name": "a-{username}"}, {}, "one for all"),
        ({"shared_claim": "homes", "deletion": "trash"}, {}, "it is not known of which image"),
        (
            {"shared_claim": "homes", "deletion": "remove", "directory": "homes/.{filename}"},
            {"PodSpawner": {"image": "notebook:1"}},
            "could be .trash",
        ),
        ({}, {"KubeSpawner": {"storage_pvc_ensure": True}}, "a claim of its own"),
        ({}, {"PodSpawner": {"delete_pvc": True}}, "would delete a claim"),
        (
            {},
            {"KubeSpawner": {"volume_mounts": [{"name": "x", "mountPath": "/home/jovyan/"}]}},
            "a volume is mounted at /home/jovyan",
        ),
        (
            {},
            {"PodSpawner": {"volume_mounts": {"x": {"name": "x", "mountPath": "/home/jovyan"}}}},
            "a volume is mounted at /home/jovyan",
        ),
    ],
)
def test_what_does_not_go_together_is_refused(
    hub: FakeHub, options: dict[str, Any], config: dict[str, Any], said: str
) -> None:
    hub.config = Config(config)
    with pytest.raises(ConfigError, match=said) as refusal:
        KubernetesHomespace(parent=hub, **options).contribute()
    assert refusal.value.fix


def test_kubespawner_leaves_claims_alone(hub: FakeHub) -> None:
    told = KubernetesHomespace(parent=hub).contribute().config
    assert told == {"KubeSpawner": {"delete_pvc": False, "fs_gid": 100}}


def pod(**security: Any) -> client.V1Pod:
    mount = client.V1VolumeMount(name="own", mount_path="/data")
    notebook = client.V1Container(
        name="notebook", volume_mounts=[mount], security_context=security or None
    )
    return client.V1Pod(
        spec=client.V1PodSpec(
            containers=[notebook],
            volumes=[client.V1Volume(name="own")],
            security_context={"fsGroup": 100},
        )
    )


def test_the_pod_has_the_home_beside_what_the_administrator_mounts(
    hub: FakeHub, api: FakeClaims
) -> None:
    adapter = KubernetesHomespace(parent=hub)
    starting, seen = spawner(api), []

    def own(_: Any, made: Any) -> Any:
        seen.append([each.name for each in made.spec.volumes])
        return made

    starting.modify_pod_hook = own
    for _ in range(3):  # the ticket is asked for again, and at the next start
        asyncio.run(adapter.ticket(starting))
    made = asyncio.run(starting.modify_pod_hook(starting, pod())).spec
    assert seen == [["own", NAME]]
    assert [each.mount_path for each in made.containers[0].volume_mounts] == [
        "/data",
        "/home/jovyan",
    ]
    assert made.volumes[1].persistent_volume_claim.claim_name in api.claims
    assert made.security_context["fsGroupChangePolicy"] == "OnRootMismatch"
    assert not made.init_containers


def test_a_volume_in_the_homes_place_is_refused(hub: FakeHub, api: FakeClaims) -> None:
    starting = spawner(api)
    asyncio.run(KubernetesHomespace(parent=hub, mount_path="/data").ticket(starting))
    with pytest.raises(HomeError, match="'own' is mounted at /data") as said:
        asyncio.run(starting.modify_pod_hook(starting, pod()))
    assert "fix:" in str(said.value.jupyterhub_message)  # type: ignore[attr-defined]


def test_an_init_container_makes_the_home_its_users(hub: FakeHub, api: FakeClaims) -> None:
    api.add("homes")
    adapter = KubernetesHomespace(parent=hub, shared_claim="homes", owner_image="busybox:1")
    starting = spawner(api)
    asyncio.run(adapter.ticket(starting))
    made = asyncio.run(starting.modify_pod_hook(starting, pod(runAsUser=1000)))
    [first] = made.spec.init_containers
    assert first["command"][-2:] == ["/home/jovyan", "1000:1000"]
    assert first["volumeMounts"][0]["subPath"] == "ada"
    assert first["securityContext"]["capabilities"]["drop"] == ["ALL"]
    with pytest.raises(HomeError, match=r"set c\.KubeSpawner\.uid"):
        asyncio.run(starting.modify_pod_hook(starting, pod()))


def test_workers_share_what_several_nodes_may_mount(hub: FakeHub, api: FakeClaims) -> None:
    claim = api.claims[opened(KubernetesHomespace(parent=hub), api)]
    with pytest.raises(HomeError, match=r"(?s)ReadWriteOnce, for the pods of one node.*fix:"):
        check_shared(claim, "ada")
    claim["spec"]["accessModes"] = ["ReadWriteMany"]
    check_shared(claim, "ada")


def test_a_server_without_its_volume_does_not_start(tmp_path: Path) -> None:
    """What is written to the container's own directory would be lost."""
    home = {"mode": "native", "path": str(tmp_path), "volume": "pvc://default/home-ada"}
    with pytest.raises(HomeError, match="is not mounted at"):
        enter_home(home, {})


def test_what_is_mounted(tmp_path: Path) -> None:
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        point = line.split()[4]
        if "\\" not in point and Path(point).exists():
            assert is_mounted(Path(point))
    assert not is_mounted(tmp_path)


def test_urls_of_homes() -> None:
    for url in ("pvc://default/home-ada", "pvc://default/homes/a/%41da"):
        assert str(ClaimUrl.read(url)) == url
    for other in ("s3://homes/ada", "/srv/homes/ada", "pvc://default", ""):
        assert ClaimUrl.read(other) is None


@pytest.mark.parametrize(
    ("text", "size"),
    [("10Gi", 10 * 2**30), ("1.5k", 1500), ("500m", 0.5), ("1e3", 1000), ("128974848", 128974848)],
)
def test_sizes_of_kubernetes(text: str, size: float) -> None:
    assert float(quantity(text)) == size
