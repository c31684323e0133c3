"""A secret is written in one way, read where it is needed, and in no ticket, log or repr."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from traitlets import Dict, Unicode

from greyhub.adapter import Finding
from greyhub.checks.effective import effective_options
from greyhub.cli.reading import Reading, read
from greyhub.data import DataAdapter
from greyhub.errors import ConfigError
from greyhub.homespace.secret_references import Secrets
from greyhub.masking import MASK
from greyhub.secrets import Secret, StorageOptions
from greyhub.ticket import Ticket
from tests.checks.starting import forget, write

CANARY = "canary-4711"

HOMES = "import greyhub\nc.GreyHub.homespace = 's3://homes/{username}'\n"
HOMES += "c.HomespaceAdapter.mode = 'object'\n"
OPTIONS = "c.HomespaceAdapter.storage_options"


class ArchiveData(DataAdapter):
    """A data adapter of somebody's: options for a store, and a credential of the hub's own."""

    modules = ()
    options = StorageOptions(help="For the archive.").tag(config=True, seen=True)
    headers = Dict(value_trait=Unicode(), help="For the index.").tag(config=True)

    async def ticket(self, spawner: Any) -> dict[str, Any]:
        """The options, as they are."""
        return {"options": self.options}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("STORE_KEY", raising=False)


def composed(tmp_path: Path, config: str) -> Reading:
    reading = read(str(write(tmp_path, config)))
    forget()
    assert reading.composition is not None
    return reading


def found(reading: Reading, level: str) -> list[Finding]:
    return [finding for finding in reading.findings if finding.level == level]


def ticket(reading: Reading, slot: str) -> Any:
    """What arrives in the user's server."""
    assert reading.composition is not None
    adapter = reading.composition.greyhub.adapters[slot]
    spawner = SimpleNamespace(user=SimpleNamespace(name="ada"), name="")
    data = asyncio.run(adapter.ticket(spawner))
    return Ticket.loads(slot, Ticket(slot, "x:y", data).dumps()).data


def shown(reading: Reading) -> dict[str, Any]:
    assert reading.composition is not None
    rows = effective_options(reading.composition.platform, everything=True)
    return {row.option: row.value for row in rows}


@pytest.mark.parametrize(
    "line",
    [
        f'{OPTIONS} = {{"key": greyhub.secret(env="STORE_KEY"), "anon": False}}',
        f'{OPTIONS}.update({{"key": greyhub.secret(env="STORE_KEY"), "anon": False}})',
    ],
)
def test_a_home_is_told_where_its_secret_is(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading = composed(tmp_path, HOMES + line)
    assert not found(reading, "error")  # the hub itself need not have it
    assert not found(reading, "warning")
    told = ticket(reading, "homespace")["storage_options"]
    assert told == {"key": {"env": "STORE_KEY"}, "anon": False}
    monkeypatch.setenv("STORE_KEY", CANARY)
    assert Secrets(told).read() == {"key": CANARY, "anon": False}


def test_a_ticket_holds_the_reference_where_the_hub_has_the_secret_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STORE_KEY", CANARY)
    secret = 'greyhub.secret(env="STORE_KEY")'
    options = f'{{"auth": ["ada", {secret}], "client_kwargs": {{"token": {secret}}}}}'
    reading = composed(tmp_path, f"{HOMES}{OPTIONS} = {options}")
    assert not found(reading, "error")
    told = ticket(reading, "homespace")["storage_options"]
    reference = {"env": "STORE_KEY"}
    assert told == {"auth": ["ada", reference], "client_kwargs": {"token": reference}}
    assert reading.composition is not None
    adapter = reading.composition.greyhub.adapters["homespace"]
    assert CANARY not in repr((adapter.config, adapter.trait_values(), reading.application.config))
    mask = "greyhub.secret(env='STORE_KEY')"
    assert shown(reading)[OPTIONS] == {"auth": [MASK, mask], "client_kwargs": {"token": mask}}


@pytest.mark.parametrize(
    ("reference", "now"),
    [
        ('{"env": "STORE_KEY"}', 'greyhub.secret(env="STORE_KEY")'),
        ('{"file": "/run/key"}', 'greyhub.secret(file="/run/key")'),
    ],
)
def test_the_former_syntax_works_and_is_warned_of(reference: str, now: str, tmp_path: Path) -> None:
    reading = composed(tmp_path, f'{HOMES}{OPTIONS} = {{"client_kwargs": {{"key": {reference}}}}}')
    [warning] = found(reading, "warning")
    assert not found(reading, "error")
    assert warning.option == OPTIONS
    assert warning.place.endswith(":4")
    assert warning.fix == f"write {now}"
    today = composed(tmp_path, f'{HOMES}{OPTIONS} = {{"client_kwargs": {{"key": {now}}}}}')
    assert not found(today, "warning")
    assert ticket(today, "homespace") == ticket(reading, "homespace")
    assert shown(today)[OPTIONS] == shown(reading)[OPTIONS]


def test_a_relative_file_stands_beside_the_config_file_and_a_home_is_the_readers(
    tmp_path: Path,
) -> None:
    for file, told in (("key", str(tmp_path / "key")), ("~/key", "~/key"), ("/key", "/key")):
        line = f'{OPTIONS} = {{"key": greyhub.secret(file="{file}")}}'
        reading = composed(tmp_path, HOMES + line)
        assert ticket(reading, "homespace")["storage_options"] == {"key": {"file": told}}


def test_an_adapter_of_somebodys_has_both_kinds_of_options(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STORE_KEY", CANARY)
    reading = composed(
        tmp_path,
        "import greyhub\n"
        'c.GreyHub.data = "tests.core.test_secrets:ArchiveData"\n'
        'c.ArchiveData.options = {"key": greyhub.secret(env="STORE_KEY")}\n'
        'c.ArchiveData.headers.update({"Via": greyhub.secret(env="STORE_KEY")})',
    )
    assert not found(reading, "error")
    assert reading.composition is not None
    adapter = reading.composition.greyhub.adapters["data"]
    assert adapter.headers == {"Via": CANARY}
    assert ticket(reading, "data") == {"options": {"key": {"env": "STORE_KEY"}}}
    assert CANARY not in repr(adapter.config)
    assert shown(reading)["c.ArchiveData.headers"] == {"Via": "greyhub.secret(env='STORE_KEY')"}


@pytest.mark.parametrize("risks", ["", "c.GreyHub.accepted_risks = ['users-see-secrets']\n"])
def test_a_ticket_never_takes_a_secret_that_the_hub_would_read(
    risks: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STORE_KEY", CANARY)
    reading = composed(
        tmp_path,
        f"import greyhub\n{risks}"
        'c.GreyHub.cluster = "distributed.LocalCluster"\n'
        'c.ClusterAdapter.options = {"worker": {"name": greyhub.secret(env="STORE_KEY")}}',
    )
    [error] = found(reading, "error")
    assert error.option == "c.ClusterAdapter.options"
    assert "users can read this value" in error.message
    assert CANARY not in repr(shown(reading))


def test_a_secret_under_any_name_is_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STORE_KEY", CANARY)
    secret = 'greyhub.secret(env="STORE_KEY")'
    reading = composed(
        tmp_path,
        "import greyhub\nc.GreyHub.accepted_risks = ['users-see-secrets']\n"
        f'c.Spawner.environment = {{"PLAIN": {secret}}}\nc.Spawner.args.append({secret})\n'
        f"c.JupyterHub.template_vars = {{'motto': [{secret}]}}",
    )
    assert not found(reading, "error")
    assert CANARY not in repr(shown(reading))
    assert CANARY not in repr(reading.application.config)
    assert shown(reading)["c.Spawner.args"] == ["greyhub.secret(env='STORE_KEY')"]


@pytest.mark.parametrize(
    "line",
    [
        "c.Spawner.mem_limit = {secret}",
        "c.JupyterHub.template_paths = [[{secret}]]",
        "c.LocalSpawner.ready_timeout = {secret}",
        "c.GreyHub.other_sections = {{'a': {secret}}}",
        "c.GreyHub.homespace = 's3://h/{{username}}'; " + OPTIONS + " = {secret}",
    ],
)
def test_a_refusal_does_not_repeat_a_secret(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STORE_KEY", CANARY)
    secret = 'greyhub.secret(env="STORE_KEY")'
    reading = read(str(write(tmp_path, f"import greyhub\n{line.format(secret=secret)}")))
    forget()
    assert found(reading, "error")
    assert CANARY not in "".join(map(str, reading.findings))


def test_it_says_where_it_is_and_never_what(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORE_KEY", CANARY)
    secret = Secret(env="STORE_KEY")
    assert secret.read() == CANARY
    assert repr(secret) == "greyhub.secret(env='STORE_KEY')"
    for text in (str, "{}".format):
        with pytest.raises(TypeError, match="cannot be put into a text"):
            text(secret)
    monkeypatch.setenv("STORE_KEY", " ")
    with pytest.raises(ConfigError, match="the variable STORE_KEY is empty"):
        secret.read()
