"""Limits of clusters, users and groups, and what may be asked of a cluster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from traitlets import TraitError
from traitlets.config import Config

pytest.importorskip("dask_gateway_server")

from dask_gateway_server.backends.base import PublicException

from greyhub.broker.limits import Limits, Usage
from greyhub.broker.options import base_fields, base_settings, environment
from greyhub.clusters.brokered import BrokeredCluster


def usage(cluster: str, user: str = "ada", workers: int = 0, groups: tuple[str, ...] = ()) -> Usage:
    return Usage(cluster, user, frozenset(groups), workers, 2.0, 4.0)


def limits(**given: Mapping[str, Any]) -> Limits:
    return Limits(**{"cluster": {}, "user": {}, "member": {}, "group": {}, **given})


@pytest.mark.parametrize(
    ("limit", "had", "why"),
    [
        ({}, 9, ""),
        ({"cluster": {"workers": 3}}, 3, "a cluster can have 3 workers"),
        ({"cluster": {"cores": 5}}, 2, "a cluster can have 5 cores in workers"),
        ({"cluster": {"memory": 13.0}}, 3, "a cluster can have 13 GiB of memory in workers"),
        ({"user": {"workers": 6}}, 4, "all clusters of ada together can have 6 workers"),
        ({"user": {"workers": 1}}, 0, "all clusters of ada together can have 1 worker"),
        ({"member": {"staff": {"workers": 5}}, "user": {"workers": 2}}, 3, "5 workers"),
        ({"member": {"none": {"workers": 5}}, "user": {"workers": 3}}, 1, "3 workers"),
        ({"group": {"staff": {"workers": 8}}}, 3, "all users of the group staff together"),
        ({"group": {"none": {"workers": 0}}}, 9, ""),
        ({"user": {"workers": 6}, "group": {"staff": {"workers": 6}}}, 1, "the group staff"),
    ],
)
def test_workers_that_can_be_had(limit: dict[str, Any], had: int, why: str) -> None:
    others = [
        usage("b", workers=2, groups=("staff",)),
        usage("c", "bob", workers=3, groups=("staff",)),
        usage("d", "cy", workers=9),
        usage("a", workers=7, groups=("staff",)),  # what it has itself does not count twice
    ]
    count, said = limits(**limit).workers(usage("a", workers=9, groups=("staff",)), others)
    assert count == had
    assert why in said
    assert bool(said) == (had < 9)


def test_of_several_groups_the_most_counts() -> None:
    both = limits(member={"one": {"workers": 2, "cores": 50}, "other": {"workers": 8}})
    assert both.for_user({"one", "other"})["workers"] == 8
    assert both.for_user({"one", "other"})["cores"] == float("inf")


def test_a_further_cluster_is_refused_in_words() -> None:
    few = limits(user={"clusters": 2}, group={"staff": {"clusters": 3}})
    others = [usage("b"), usage("c", "bob", groups=("staff",))]
    assert few.refusal(usage(""), others) == ""
    others.append(usage("d"))
    assert few.refusal(usage(""), others) == (
        "all clusters of ada together can have 2 clusters at a time, and have 2"
    )
    others += [usage("e", "cy", groups=("staff",)), usage("f", "di", groups=("staff",))]
    refused = few.refusal(usage("", "eve", groups=("staff",)), others)
    assert refused.startswith("all users of the group staff together can have 3 clusters")


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["x", "y"]), st.integers(0, 30))),
    st.integers(0, 40),
    st.integers(0, 40),
    st.integers(0, 40),
)
def test_nothing_goes_beyond_a_limit(
    asked: list[tuple[str, str, int]], cluster: int, user: int, group: int
) -> None:
    """Whatever is asked for in turn, each limit holds at every moment."""
    kept = limits(
        cluster={"workers": cluster}, user={"cores": user}, group={"x": {"memory": float(group)}}
    )
    have: dict[str, Usage] = {}
    for who, belongs, workers in asked:
        name = f"{who}{belongs}"
        new = usage(name, who, workers, (belongs,))
        count, _ = kept.workers(new, list(have.values()))
        have[name] = usage(name, who, count, (belongs,))
        assert all(each.workers <= cluster for each in have.values())
        for one in "abc":
            assert sum(each.of("cores") for each in have.values() if each.user == one) <= user
        assert sum(each.of("memory") for each in have.values() if "x" in each.groups) <= group


ASKED = {
    "worker_cores": 1,
    "worker_memory": 2.0,
    "idle_timeout": 60.0,
    "environment": {},
    "python": "",
    "server": "-",
    "persist": False,
}
MOST = {
    "worker_cores": 4,
    "worker_memory": 8.0,
    "idle_timeout": 600.0,
    "python": "/usr/bin/python3",
}


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"worker_cores": 5}, "at most 4 cores"),
        ({"worker_memory": 9.0}, "at most 8 GiB"),
        ({"idle_timeout": 0.0}, "ends after 600 seconds at most"),
        ({"idle_timeout": 601.0}, "idle_timeout=601 cannot be had"),
        ({"python": "python"}, "no absolute path"),
        ({"environment": {"DASK_GATEWAY_API_URL": "x"}}, "not a variable that you can set"),
        ({"environment": {"dask_distributed__comm__require_encryption": "0"}}, "not a variable"),
        ({"environment": {"LD_PRELOAD": "x"}}, "not a variable"),
        ({"environment": {"A=B": "x"}}, "not a variable"),
        ({"environment": {"A": 1}}, "must be text"),
    ],
)
def test_what_cannot_be_had_is_refused_in_words(asked: dict[str, Any], why: str) -> None:
    with pytest.raises(PublicException, match=why):
        base_settings({**ASKED, **asked}, MOST)


def test_what_can_be_had() -> None:
    made = base_settings({**ASKED, "server": "", "environment": {"A": "b"}}, MOST)
    assert made["scheduler_cmd"] == ["/usr/bin/python3", "-m", "dask", "scheduler"]
    assert made["worker_memory"] == 2 * 2**30
    assert (made["server"], made["known_server"]) == ("", True)
    assert environment({"A": "b"}) == {"A": "b"}


@pytest.mark.parametrize(
    ("asked", "size"), [(1, 1.0), (0.5, 0.5), ("2 G", 2.0), ("512MiB", 0.5), ("1 TB", 1024.0)]
)
def test_memory_is_a_number_of_gib_or_a_size(asked: Any, size: float) -> None:
    field = base_fields({"worker_cores": 1, "worker_memory": 1.0, "idle_timeout": 1.0})[1]
    assert field.validate(asked) == size
    for wrong in ("much", True, None, [], "-1 G"):
        with pytest.raises(TypeError, match="worker_memory"):
            field.validate(wrong)
    with pytest.raises(ValueError, match="above 0"):
        field.validate(0)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("user_limits", {"workers": "many"}),
        ("user_limits", {"nodes": 3}),
        ("user_limits", {"workers": -1}),
        ("member_limits", {"staff": 3}),
        ("group_limits", {"staff": {"memory": "64 apples"}}),
        ("worker_memory", "much"),
    ],
)
def test_an_option_that_is_none_is_refused(option: str, value: Any) -> None:
    with pytest.raises(TraitError):
        BrokeredCluster(config=Config({"BrokeredCluster": {option: value}}))
