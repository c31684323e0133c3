"""Profiles as they are written: what is read, and what is said of what cannot be."""

from __future__ import annotations

from typing import Any

import pytest

from greyhub.spawners.profile_reading import read_profiles

SMALL = {"name": "small", "cores": 0.5, "memory": "512 MiB"}
LARGE = {"name": "large", "cores": 8, "memory": "64 GiB"}
GPU = {"name": "gpu", "gpus": 1, "groups": ["gpu-users", "staff"]}


def test_sizes_are_in_words() -> None:
    profiles, problems = read_profiles(
        [SMALL, LARGE | {"gpus": 2}, GPU, {"name": "plain"}, {"name": "odd", "memory": "8 GB"}]
    )
    assert problems == []
    assert [profile.size for profile in profiles] == [
        "0.5 cores, 512 MiB",
        "8 cores, 64 GiB, 2 GPUs",
        "1 GPU",
        "",
        "7.5 GiB",
    ]


@pytest.mark.parametrize(
    ("profile", "said", "fix"),
    [
        ({"nme": "a"}, "profile 1 has a key 'nme'", "write 'name'"),
        ({"title": "A"}, "profile 1 has no name", "'name': 'small'"),
        ({"name": "Big One"}, "name: 'Big One' is not made of", "write 'big-one'"),
        ({"name": "a", "memry": "8 GiB"}, "'a' has a key 'memry'", "write 'memory'"),
        ({"name": "a", "colour": "red"}, "'a' has a key 'colour'", "use one of: name, title"),
        ({"name": "a", "memory": "8G"}, "'a': memory: '8G' is no size", "write '8 GiB'"),
        ({"name": "a", "memory": 8}, "memory: 8 is no size", "write '8 GiB'"),
        ({"name": "a", "memory": "much"}, "memory: 'much' is no size", "write '8 GiB'"),
        ({"name": "a", "memory": "0 GiB"}, "memory: '0 GiB' is no size", "write '8 GiB'"),
        ({"name": "a", "cores": "2"}, "cores: '2' is no number", "such as 2"),
        ({"name": "a", "cores": 0}, "cores: 0 is no number above zero", "such as 2"),
        ({"name": "a", "cores": True}, "cores: True is no number", "such as 2"),
        ({"name": "a", "cores": float("inf")}, "cores: inf is no number", "such as 2"),
        ({"name": "a", "gpus": 0.5}, "gpus: 0.5 is no number of GPUs", "whole number"),
        ({"name": "a", "groups": "staff"}, "groups: 'staff' is one text", "write ['staff']"),
        ({"name": "a", "groups": []}, "groups: nobody could take it", "leave the key out"),
        ({"name": "a", "groups": [1]}, "groups: [1] is no list", "write ['name', …]"),
        ({"name": "a", "default": "yes"}, "default: 'yes' is neither", "write True"),
        ({"name": "a", "image": ""}, "image: '' is no text", "leave it out"),
        ({"name": "a", "node_selector": {"gpu": 1}}, "node_selector: {'gpu': 1}", "in quotes"),
        ({"name": "a", "node_selector": "gpu"}, "node_selector: 'gpu' is no mapping", "in quotes"),
        ({"name": "a", "tolerations": {"key": "gpu"}}, "is no list of tolerations", "write [{"),
        ({"name": "a", "tolerations": [{"effct": "x"}]}, "'effct' is no key", "write 'effect'"),
        (
            {"name": "a", "tolerations": [{"effect": "NoShedule"}]},
            "tolerations: 'NoShedule' is no effect",
            "write 'NoSchedule'",
        ),
    ],
)
def test_what_cannot_be_read_is_said(profile: dict[str, Any], said: str, fix: str) -> None:
    _, problems = read_profiles([profile])
    [problem] = [each for each in problems if said in each.what]
    assert fix in problem.fix


def test_all_that_is_wrong_is_said_at_once() -> None:
    profiles, problems = read_profiles(
        [
            {"name": "a", "default": True, "cores": 0, "memory": 1},
            {"name": "a", "default": True},
        ]
    )
    assert [problem.what.partition(":")[0] for problem in problems] == [
        "the profile 'a'",
        "the profile 'a'",
        "two profiles have the name 'a'",
        "several profiles are the default",
    ]
    assert len(profiles) == 2
