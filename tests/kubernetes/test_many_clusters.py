"""Five users with three clusters each, on a real cluster: limits hold, also over kills."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from tests.kubernetes.brokers import OF_THE_ADMINISTRATOR, Broker, none_left, parts, pods_of
from tests.support.clusters import Cluster
from tests.support.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.processes, pytest.mark.kubernetes]

USERS = ("ada", "bob", "cy", "di", "eve")
STUDENTS = ("ada", "bob")

LIMITS = f"""
c.KubernetesCluster.user_limits = {{"clusters": 3, "workers": 3}}
c.KubernetesCluster.group_limits = {{"students": {{"workers": 4}}}}
c.JupyterHub.load_groups = {{"students": {{"users": {list(STUDENTS)!r}}}}}
"""

MOST = 4 + 3 * 3
"""Workers in all: the students' four, and three of each other user's."""


def owners(cluster: Cluster, kind: str) -> Counter[str]:
    """How many pods of a kind each user has; those that are going count, too."""
    found = (pod["metadata"]["annotations"] for pod in pods_of(cluster, kind))
    return Counter(each["hub.jupyter.org/username"] for each in found)


def allowed(workers: Counter[str]) -> bool:
    each = all(number <= 3 for number in workers.values())
    return each and sum(workers[user] for user in STUDENTS) <= 4


@pytest.mark.timeout(900)
def test_limits_of_users_and_groups_hold(broker: Callable[..., Broker], cluster: Cluster) -> None:
    made = broker(OF_THE_ADMINISTRATOR + LIMITS)
    names = {user: [made.submit(user) for _ in range(3)] for user in USERS}
    for user in USERS:
        refused = made.ask("POST", "", user, json={"cluster_options": {}})
        assert "can have 3 clusters at a time, and have 3" in refused.json()["error"]
    every = [(user, name) for user in USERS for name in names[user]]
    until(lambda: all(running(made, *each) for each in every), 240, "fifteen clusters")
    assert owners(cluster, "dask-scheduler") == dict.fromkeys(USERS, 3)
    told = []
    for user, name in every:
        answer = made.ask("POST", f"{name}/scale", user, json={"count": 2})
        assert answer.ok, answer.text
        told.append(answer.json()["msg"] or "")
    assert sum("all clusters of" in each for each in told) >= len(USERS) - len(STUDENTS)
    assert any("all users of the group students" in each for each in told)

    def full() -> bool:
        workers = owners(cluster, "dask-worker")
        assert allowed(workers), workers
        return sum(workers.values()) == MOST

    until(full, 240, f"{MOST} workers")
    made.kill()
    for user, name in every:  # asked again of another broker, there is no more to be had
        assert made.ask("POST", f"{name}/scale", user, json={"count": 2}).ok
    assert allowed(owners(cluster, "dask-worker"))
    for user, name in every:
        made.ask("DELETE", name, user)
    made.kill()
    none_left(cluster)
    assert parts(cluster) == []


def running(made: Broker, user: str, name: str) -> Any:
    status = made.ask("GET", name, user).json()["status"]
    assert status in ("PENDING", "RUNNING"), made.ask("GET", f"{name}/reason", user).text
    return status == "RUNNING"
