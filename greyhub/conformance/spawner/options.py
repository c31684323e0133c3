"""SPAWNER-042 and 043: user options."""

from __future__ import annotations

import copy
import json

from greyhub.conformance.case import Unproven
from greyhub.conformance.contract import MUST, clause
from greyhub.conformance.spawner.case import SpawnerCase

TRAITS = (
    "image",
    "cmd",
    "args",
    "environment",
    "env_keep",
    "volumes",
    "extra_pod_config",
    "mem_limit",
    "cpu_limit",
    "notebook_dir",
    "default_url",
    "api_token",
    "namespace",
    "prefix",
    "uid",
)
"""Names of options that are the administrator's in one Spawner or another."""


@clause("SPAWNER-042", MUST, needs="user_options", hooks="alive environment", guards="secrets")
def options_are_untrusted(case: SpawnerCase) -> None:
    """Options are untrusted: {} works, unknown keys are ignored or refused, and have no effect.

    A user sends the names of the administrator's options, with a word that must
    then be nowhere in the server.

    Seen: dockerspawner GHSA-hfgr-h3vc-p6c2
      https://github.com/jupyterhub/dockerspawner/security/advisories/GHSA-hfgr-h3vc-p6c2
    """
    hub = case.hub()
    case.started(hub, case.user, options={}).stop()
    word = f"evil{case.random.getrandbits(48):x}"
    numbers = {"mem_limit": 123 * 2**30, "cpu_limit": 123.0}
    if case.suite.has("limits"):
        greedy = case.server(hub, case.user + "c")
        if greedy.outcome(dict(numbers)) is None:
            found = case.hook("limits", greedy.running()[0])
            taken = [name for name, value in numbers.items() if found.get(name) == value]
            case.require(not taken, f"{', '.join(taken)} was not offered, and was taken")
            greedy.stop()
    sent = dict.fromkeys(TRAITS, word) | {
        "environment": {"CONFORMANCE_EVIL": word},
        "env": {"CONFORMANCE_EVIL": word},
        "labels": {"conformance-evil": word},
        "cmd": [word],
        "args": [word],
    }
    server = case.server(hub, case.user + "b")
    error = server.outcome(sent)
    if error is not None:
        status = getattr(error, "status_code", 500)
        case.require(400 <= status < 500, f"unknown options were answered by {error!r}")
        return
    running = server.running()
    case.require(len(running) == 1, f"there are {len(running)} servers of {server}, not one")
    places = {
        "environment": json.dumps(server.environment(running[0])),
        "command line": " ".join(running[0].argv or ()),
        "labels": json.dumps(dict(running[0].labels or {})),
        "name": running[0].id,
    }
    for place, text in places.items():
        case.require(word not in text, f"an option that was not offered reached the {place}")


@clause("SPAWNER-043", MUST, needs="user_options", hooks="alive")
def options_are_checked(case: SpawnerCase) -> None:
    """An invalid option is a 4xx, never a 500; a valid one works, and start() does not change it.

    options_from_form() is pure and gives JSON. The suite says which options are
    good and which are bad.
    """
    suite = case.suite
    if suite.options_good is None or not suite.options_bad:
        raise Unproven("say options_good = {...} and options_bad = [{...}], by which to test")
    hub = case.hub()
    good = json.loads(json.dumps(dict(suite.options_good)))
    server = case.server(hub, case.user)
    sent = copy.deepcopy(good)
    server.start(sent)
    case.equal(server.look("user_options"), good, f"start() changed user_options from {good} to")
    for number, bad in enumerate(suite.options_bad):
        user = f"bad{number}"
        hub.add_user(user)
        case.did(f"POST /users/{user}/server with {dict(bad)}")
        answer = hub.api("POST", f"/users/{user}/server", dict(bad))
        status = answer.status_code
        if status == 202:
            other = case.server(hub, user)
            case.until(lambda other=other: not other.pending, 10, "the start did not end")  # type: ignore[misc]
            error = case.answer("start").error
            status = getattr(error, "status_code", 500) if error is not None else 201
        case.said(f"status {status}")
        case.require(status != 201, f"the invalid options {dict(bad)} were accepted")
        case.require(400 <= status < 500, f"the invalid options {dict(bad)} gave a {status}")
    form = {name: [str(value)] for name, value in good.items()}
    before = copy.deepcopy(form)
    first = server.do("run_options_from_form", form)
    second = server.do("run_options_from_form", form)
    case.require(form == before, "options_from_form() changed the form")
    case.require(first == second, "options_from_form() is not the same twice")
    try:
        json.dumps(first)
    except (TypeError, ValueError) as error:
        case.fail(f"options_from_form() gives what is not JSON: {error}")
    try:
        server.do("run_options_from_form", {})
    except Exception as error:
        status = getattr(error, "status_code", 500)
        case.require(400 <= status < 500, f"a form that lacks every field gave {error!r}")
