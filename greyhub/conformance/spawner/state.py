"""SPAWNER-026 and 028 to 030: get_state(), load_state() and clear_state()."""

from __future__ import annotations

import json
from typing import Any

import hypothesis
from hypothesis import strategies

from greyhub.conformance.contract import MUST, clause
from greyhub.conformance.spawner.case import SpawnerCase
from greyhub.conformance.spawner.server import Server
from greyhub.conformance.testkit.secret_search import contains_secret


@clause("SPAWNER-026", MUST, guards="secrets")
def state_is_plain(case: SpawnerCase) -> None:
    """get_state() is a JSON dict that round-trips and holds no secret.

    The hub keeps it in clear, and its API shows it to administrators.
    """
    secret = f"s3cret-{case.random.getrandbits(64):x}"
    server = case.started(case.hub(spawner={"environment": {"CONFORMANCE_PASSWORD": secret}}))
    state = server.do("get_state")
    case.said(f"get_state() = {state}")
    case.require(type(state) is dict, f"get_state() is a {type(state).__name__}, not a dict")
    try:
        text = json.dumps(state)
    except (TypeError, ValueError) as error:
        case.fail(f"get_state() is not JSON: {error}")
    case.require(json.loads(text) == state, "get_state() is not the same after JSON")
    case.require(not contains_secret(text, server.token), "get_state() holds the server's token")
    case.require(not contains_secret(text, secret), "get_state() holds a value of the environment")


@clause("SPAWNER-028", MUST)
def any_state_is_tolerated(case: SpawnerCase) -> None:
    """load_state() tolerates an empty state, unknown keys and missing keys.

    As after an upgrade, or a downgrade, of the adapter. poll() goes on to answer: what
    it raises, the hub takes for a server that has ended.
    """
    server = case.started(case.hub())
    state = server.do("get_state")
    fewer = [{k: v for k, v in state.items() if k != left_out} for left_out in state]
    for odd in ({}, {**state, "of_another_version": [1, {"a": None}]}, *fewer):
        other = case.server(server.hub, case.user + "b")

        async def load(server: Server = other, state: dict[str, Any] = odd) -> Any:
            spawner = server.fresh()
            spawner.load_state(state)
            spawner.get_state()
            return await spawner.poll()

        status = case.call(f"load_state({odd}), get_state(), poll()", server.hub.run, load)
        case.require(status is None or type(status) is int, f"poll() answered {status!r}")


@clause("SPAWNER-029", MUST, guards="secrets")
def clear_state_clears(case: SpawnerCase) -> None:
    """clear_state() calls super(), which blanks the token, and drops the runtime identity.

    After it, get_state() is what it was before the start.
    """
    server = case.server(case.hub())
    before = server.do("get_state")
    server.start()
    during = server.do("get_state")
    server.ask("stop")
    server.do("clear_state")
    token, after = server.token, server.do("get_state")
    case.require(token == "", "clear_state() left the token: it must call super()")
    dropped = {key for key in during if during.get(key) != before.get(key)}
    kept = {key: after[key] for key in dropped if key in after and after[key] == during[key]}
    case.require(not kept, f"clear_state() left {kept}")


@clause("SPAWNER-030", MUST)
def state_is_stable(case: SpawnerCase) -> None:
    """Loading a state and getting it again loses nothing, for any state of the adapter's own kind.

    Hypothesis makes the states: the keys of a real one, with other values of the
    same type, and some keys left out.
    """
    server = case.started(case.hub())
    real = server.do("get_state")
    case.said(f"get_state() = {real}")
    values = {key: strategies.one_of(_like(real[key]), strategies.just(real[key])) for key in real}
    states = strategies.fixed_dictionaries({}, optional=values)
    user = case.server(server.hub, case.user + "b")

    def once(state: dict[str, Any]) -> dict[str, Any]:
        spawner = user.fresh()
        spawner.load_state(state)
        found: dict[str, Any] = spawner.get_state()
        return found

    @hypothesis.seed(case.seed)
    @hypothesis.settings(
        max_examples=25,
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(states)
    def stable(state: dict[str, Any]) -> None:
        first = once(state)
        second = once(first)
        case.require(first == second, f"{state} became {first}, and that became {second}")
        lost = {key for key in state if key in real and first.get(key) != state[key]}
        case.require(
            state != real or not lost, f"load_state() and get_state() lost {lost} of {state}"
        )

    server.hub.run(stable)


def _like(value: object) -> strategies.SearchStrategy[Any]:
    """Other values of the same type."""
    if isinstance(value, bool):
        return strategies.booleans()
    if isinstance(value, int):
        return strategies.integers(1, 2**31)
    if isinstance(value, float):
        return strategies.floats(0, 2e9, allow_nan=False)
    if isinstance(value, str):
        return strategies.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=40)
    return strategies.just(value)
