"""A ticket arrives as it was sent, whatever a spawner does to an environment on its way."""

from __future__ import annotations

import shlex
import string
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from greyhub.ticket import Ticket

DATA = {
    "url": "s3://homes/{username}",
    "names": ["it's", 'a "quote"', "100 %", "a,b", "$HOME `id`", "two\nlines", "ü", "\\n"],
    "nested": {"{": "}", "%(user)s": "%d"},
}
TICKET = Ticket("homespace", "m:C", DATA, "a home, {odd} by 100%")


def shell(line: str) -> str:
    return subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=True).stdout


def env_file(text: str) -> str:
    """As Docker reads ``--env-file``, and systemd a unit's ``EnvironmentFile=``."""
    (line,) = f"A={text}\n".splitlines()
    return line.split("=", 1)[1].strip().strip("'\"")


def unit_line(text: str) -> str:
    """As systemd reads ``Environment=``: words are split, and ``%`` begins a specifier."""
    assert "%" not in text
    (word,) = shlex.split(f"A={text}")
    return word.split("=", 1)[1]


WAYS: dict[str, Callable[[str], str]] = {
    "formatted, as by KubeSpawner": lambda text: text.format(username="ada", servername=""),
    "formatted with percent signs": lambda text: text % (),
    "a template, as by DockerSpawner": lambda text: string.Template(text).substitute(),
    "sbatch --export": lambda text: dict(pair.split("=", 1) for pair in f"A={text},B=1".split(","))[
        "A"
    ],
    "a job script without quotes": lambda text: shell(f"A={text}; printf %s $A"),
    "env A=… in a line for a shell": lambda text: shell(f"env A={text} sh -c 'printf %s \"$A\"'"),
    "an env file": env_file,
    "a line of a unit": unit_line,
}


@pytest.mark.parametrize("way", WAYS)
def test_it_arrives(way: str) -> None:
    assert Ticket.loads("homespace", WAYS[way](TICKET.dumps())) == TICKET


CLUSTER = """
apiVersion: v1
kind: Config
current-context: none
contexts: [{name: none, context: {cluster: none, user: none}}]
clusters: [{name: none, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: none, user: {}}]
"""


async def test_kubespawner_hands_it_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from kubespawner import KubeSpawner

    (tmp_path / "config").write_text(CLUSTER)
    where = "kubernetes_asyncio.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION"
    monkeypatch.setattr(where, str(tmp_path / "config"))
    spawner = KubeSpawner(_mock=True)
    spawner.environment = {"GREYHUB_HOMESPACE": TICKET.dumps()}
    given = spawner._expand_env(spawner.environment)
    assert Ticket.loads("homespace", given["GREYHUB_HOMESPACE"]) == TICKET
