"""SPAWNER-034 to 036 and 038 to 040: the server's environment, arguments, token and limits."""

from __future__ import annotations

import os
from typing import Any

from greyhub.conformance.case import Unproven
from greyhub.conformance.contract import MUST, clause
from greyhub.conformance.record import shorten
from greyhub.conformance.spawner.case import SpawnerCase

AWKWARD_VALUES = {
    "CONFORMANCE_QUOTES": """it's "quoted" `twice`""",
    "CONFORMANCE_DOLLAR": "$HOME ${HOME} $(id) %n {username}",
    "CONFORMANCE_LINES": "one\ntwo\n\nfour",
    "CONFORMANCE_EQUALS": "a=b=c",
    "CONFORMANCE_EXPANDED": "$(CONFORMANCE_EQUALS) $$ $${HOME}",
    "CONFORMANCE_SPACES": "  two  blanks  ",
    "CONFORMANCE_LAST_LINE": "with an end\n",
    "CONFORMANCE_LONG": "0123456789" * 800,
    "CONFORMANCE_ACCENTS": "naïve Ωμέγα 雪 🌱",
    "CONFORMANCE_EMPTY": "",
    "CONFORMANCE_BACKSLASH": "\\n\\",
    "conformance_small": "letters",
}

CANARIES = (
    "CONFIGPROXY_AUTH_TOKEN",
    "JUPYTERHUB_CRYPT_KEY",
    "AWS_SECRET_ACCESS_KEY",
    "AZURE_CLIENT_SECRET",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "KUBECONFIG",
    "PGPASSWORD",
    "PIP_INDEX_URL",
    "CONFORMANCE_CANARY",
)
"""Variables of the hub that no server may see."""


@clause("SPAWNER-034", MUST, hooks="alive environment")
def the_environment_arrives(case: SpawnerCase) -> None:
    """Every variable of get_env() reaches the server, byte for byte.

    Those of the hub, and values with quotes, dollars, newlines, blanks and accents.

    Seen: jupyterhub#2678 https://github.com/jupyterhub/jupyterhub/issues/2678
    """
    server = case.started(case.hub(spawner={"environment": AWKWARD_VALUES}))
    wanted: dict[str, Any] = dict(server.do("get_env"))
    wanted["JUPYTERHUB_API_TOKEN"] = server.token
    # They name the address, which start() may learn only after it has made the environment.
    for key in ("JUPYTERHUB_SERVICE_URL", "JPY_API_TOKEN"):
        wanted.pop(key, None)
    found = server.environment()
    for key, value in wanted.items():
        case.require(key in found, f"{key} did not arrive")
        case.require(
            found[key] == str(value),
            f"{key} arrived as {shorten(found[key])}, and is {shorten(str(value))}",
        )


@clause("SPAWNER-035", MUST, hooks="alive environment")
def the_administrator_has_the_last_word(case: SpawnerCase) -> None:
    """Spawner.environment has the last word, and a callable in it is resolved.

    A variable of the hub's own is overridden too; what the hub gives otherwise is
    still there, which an override of get_env() without super() would lose.

    Seen: kubespawner PR#826
    """
    given = {
        "CONFORMANCE_NAME": lambda spawner: f"of {spawner.user.name}",
        "JUPYTERHUB_DEFAULT_URL": "/conformance",
    }
    hub = case.hub(spawner={"environment": given, "default_url": "/lab"})
    found = case.started(hub).environment()
    case.require(
        found.get("CONFORMANCE_NAME") == f"of {case.user}",
        f"a callable became {found.get('CONFORMANCE_NAME')!r}, not what it returns",
    )
    case.require(
        found.get("JUPYTERHUB_DEFAULT_URL") == "/conformance",
        f"the hub's variable was not overridden: {found.get('JUPYTERHUB_DEFAULT_URL')!r}",
    )
    names = ("JUPYTERHUB_USER", "JUPYTERHUB_API_URL", "JUPYTERHUB_CLIENT_ID")
    missing = [name for name in names if name not in found]
    case.require(not missing, f"{', '.join(missing)} is missing: is super() called?")


@clause("SPAWNER-036", MUST, hooks="alive environment", guards="secrets")
def the_hub_s_environment_stays_there(case: SpawnerCase) -> None:
    """Nothing of the hub's own environment reaches the server but what env_keep names."""
    canary = f"{case.random.getrandbits(256):064x}"
    before = {name: os.environ.get(name) for name in CANARIES}

    def restore() -> None:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value

    case.finally_(restore)
    hub = case.hub()
    case.did(f"the hub's environment has {', '.join(CANARIES)}")
    os.environ.update(dict.fromkeys(CANARIES, canary))
    found = case.started(hub).environment()
    leaked = [name for name, value in found.items() if canary in value]
    case.require(not leaked, f"{', '.join(leaked)} of the hub reached the server")


@clause("SPAWNER-038", MUST, hooks="alive")
def arguments_are_no_shell_s(case: SpawnerCase) -> None:
    """cmd and args are passed as a list, without a shell's interpretation."""
    mark = case.directory / "touched"
    args = [
        "--a=b c",
        "$HOME",
        f"; touch {mark}",
        "`id`",
        "it's",
        '"',
        "*",
        "$(JUPYTERHUB_USER) $$",
        "",
    ]
    hub = case.hub(spawner={"args": args})
    case.started(hub)
    argv = case.alive()[0].argv
    if argv is None:
        raise Unproven("alive() tells no argv: fill it in, and the clause can be proven")
    case.saw(f"argv {list(argv)}")
    case.require(list(argv)[-len(args) :] == args, f"the arguments arrived as {list(argv)}")
    case.require(not mark.exists(), "an argument was run by a shell")


@clause("SPAWNER-039", MUST, guards="secrets")
def the_token_is_the_hub_s(case: SpawnerCase) -> None:
    """The token that an adapter leaves in api_token is one that the hub issued for this user.

    Seen: the Hub accepts any unknown token that an adapter hands back (user.py:1030)
    """
    issued: list[str] = []
    hub = case.hub(spawner={"pre_spawn_hook": lambda spawner: issued.append(spawner.api_token)})
    server = case.started(hub)
    server.stop()
    server.start()
    case.require(
        server.token in issued, "api_token is not one that the hub issued: it would be accepted"
    )


@clause("SPAWNER-040", MUST, needs="limits", hooks="alive", refusal=True)
def limits_are_enforced(case: SpawnerCase) -> None:
    """mem_limit and cpu_limit are enforced; where they are declined, setting them warns at start.

    The server's own view of its limits is a hook. Both are set, and the memory's alone.
    """
    server = case.started(case.hub(spawner={"mem_limit": "256M", "cpu_limit": 0.5}))
    if case.claims("limits"):
        wanted: dict[str, float] = {"mem_limit": 256 * 2**20, "cpu_limit": 0.5}
        _limits(case, wanted)
        server.stop()
        server.hub.run(lambda: setattr(server.make(), "cpu_limit", None))
        server.start()
        _limits(case, {"mem_limit": 256 * 2**20})
        return
    warned = [line for line in case.log.lines if line.startswith("WARN") and "limit" in line]
    case.require(warned, "mem_limit and cpu_limit are set and cannot be enforced: no warning")


def _limits(case: SpawnerCase, wanted: dict[str, float]) -> None:
    found = case.hook("limits", case.alive()[0])
    for name, value in wanted.items():
        case.require(
            abs((found.get(name) or 0) - value) <= value / 20,
            f"{name} is {found.get(name)} for the server, and was set to {value}",
        )
