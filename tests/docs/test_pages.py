"""What the pages say is done: files are written, commands given, notebooks run, in their order."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import iris_sample_data
import pytest

from greyhub import credentials
from greyhub.cli.init import TUTORIAL
from greyhub.identity.rules import Identity
from greyhub.presets import VARIABLE
from greyhub.starts.table import Start
from greyhub.starts.table import add as add_start
from tests.docs.blocks import ROOT, RUNNABLE, SHOWN, Block, blocks, pages
from tests.docs.reader import END, START, Reader
from tests.docs.test_write_an_adapter import PACKAGE
from tests.identity.databases import add, identities, run_server
from tests.support.ports import free_port

ELSEWHERE = {
    "docs/how-to/azureml-data.md": "## Open an asset",
    "docs/reference/options.md": "# Options",
    "docs/tutorial/write-an-adapter.md": PACKAGE,
}
"""Pages whose blocks other tests run, from a heading on: `tests.cli.test_reference`,
`tests.data.azureml.test_page`, `tests.docs.test_write_an_adapter`."""

SECRETS = (
    "GITHUB_SECRET",
    "OIDC_SECRET",
    "ENTRA_SECRET",
    "GITHUBOAUTHENTICATOR_CLIENT_SECRET",
)
"""Variables of the hub's that pages speak of."""


def to_run(page: str) -> list[Block]:
    """The blocks of a page that are run here."""
    here, mark, _ = (ROOT / page).read_text().partition(ELSEWHERE.get(page, "no such heading"))
    end = len(here.splitlines()) if mark else float("inf")
    return [
        each
        for each in blocks(page)
        if each.language in RUNNABLE and not each.reason and each.line <= end
    ]


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Reader:
    """A reader who has the data that pages speak of, and JupyterHub's secrets."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "agg")
    for name in SECRETS:
        monkeypatch.setenv(name, "not that secret")
    monkeypatch.setenv(VARIABLE, "")
    for name in ("spawner", "cluster", "auth", "homespace", "data"):
        monkeypatch.setenv(f"GREYHUB_{name.upper()}", "")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr("greyhub.credentials._held", {})
    return Reader(tmp_path)


def has_tutorial(reader: Reader) -> None:
    """The tutorial's data, under their names."""
    text = (TUTORIAL / "catalog.yaml").read_text()
    (reader.place / "catalog.yaml").write_text(text.replace("{IRIS}", iris_sample_data.path))
    reader.data.LocalData.catalogs = ["catalog.yaml"]


def has_rain(reader: Reader) -> None:
    """Tables for catalogues of the reader's own."""
    (reader.place / "tables").mkdir()
    for name in ("rain", "rain-2000", "rain-2001", "tables/rain"):
        (reader.place / f"{name}.csv").write_text("day,mm\n1,3\n2,5\n")


def has_homes(reader: Reader) -> None:
    """Two platforms, and a home on the first one and on the reader's own."""
    for name in ("old", "new"):
        lines = [START, f"c.LocalHomespace.root = '{name}'", END]
        (reader.place / f"{name}_config.py").write_text("\n".join(lines))
    for home in ("old/ada", "greyhub-state/homes/ada"):
        (reader.place / home).mkdir(parents=True)
        for name in ("paper.tex", "run.csv"):
            (reader.place / home / name).write_text("mm")


def has_environment(reader: Reader) -> None:
    """An environment beside the config file."""
    command = reader.place / "envs/climate-2026-11/bin/greyhub-singleuser"
    command.parent.mkdir(parents=True)
    command.touch(mode=0o755)


def has_pod(reader: Reader) -> None:
    """The hub's pod, with what the chart presets."""
    hub = {"hub_ip": "0.0.0.0", "hub_connect_ip": "hub"}
    hub["public_url"] = "https://hub.example.org/"
    os.environ[VARIABLE] = json.dumps({"JupyterHub": hub})  # the fixture puts it back


def has_users(reader: Reader) -> None:
    """A hub that has users, of whom one has a server."""
    (reader.place / "greyhub-state/hub").mkdir(parents=True)
    with identities(reader.place / "greyhub-state/hub/jupyterhub.sqlite", "ada", "bob") as table:
        table.note_users("local")
        table.claim(Identity("local", "ada"), "ada")
        table.claim(Identity("pam", "ada2"), "ada2")
        add(table, "ada2")
        run_server(table, "ada")


def has_starts(reader: Reader) -> None:
    """A hub whose servers have started, cold and warm, and two have not."""
    has_users(reader)
    (reader.place / "greyhub_config.py").write_text(
        f"{START}c.JupyterHub.hub_port = {free_port()}\n{END}"
    )
    names = ("small", "registry.example.org/notebook:1")
    phases = {"prepare": 0.1, "place": 0.5, "home": 2.0, "image": 0.0, "start": 1.4, "answer": 5.0}
    slow = {**phases, "place": 31.0, "home": 4.0, "image": 52.5}
    ended = datetime(2026, 11, 30, 9, 40, tzinfo=UTC).timestamp()
    starts = [
        *(Start(names[0], each, slow, True, names[1], 590_000_000) for each in (96.0, 92.0)),
        *10 * [Start(names[0], 9.0, phases, False, names[1])],
        *2 * [Start(names[0], 9.0, failure="image")],
    ]
    with identities(reader.place / "greyhub-state/hub/jupyterhub.sqlite") as table:
        run_server(table, "bob")
        for start in starts:
            add_start(table.session, replace(start, ended=ended))


def has_credentials(reader: Reader) -> None:
    """What a hub has given, and a cluster."""
    token = credentials.Credential.lasting({"token": "one"}, 3600)
    names = ("access_key_id", "secret_access_key", "session_token")
    key = credentials.Credential.lasting(dict.fromkeys(names, "one"), 3600)
    for audience in ("storage", "archive", "bucket"):
        credentials._held["ada", audience] = key if audience == "bucket" else token
    client = SimpleNamespace(map=lambda function, names, **more: [], run=lambda call: call())
    reader.notebook.update(client=client, names=["a"])


HAS = {
    "README.md": has_tutorial,
    "docs/how-to/credentials.md": has_credentials,
    "docs/how-to/data.md": has_rain,
    "docs/how-to/install-on-kubernetes.md": has_pod,
    "docs/how-to/move-homes.md": has_homes,
    "docs/how-to/operate.md": has_starts,
    "docs/how-to/profiles.md": has_environment,
    "docs/how-to/users.md": has_users,
    "docs/index.md": has_tutorial,
    "docs/tutorial/first-figure.md": has_tutorial,
    "docs/tutorial/write-an-adapter.md": has_rain,
}
"""What the reader of a page has before it."""


@pytest.mark.processes
@pytest.mark.parametrize("page", [each for each in pages() if to_run(each)])
def test_a_page_is_true(page: str, reader: Reader) -> None:
    HAS.get(page, lambda _: None)(reader)
    for block in to_run(page):
        reader.do(block)


@pytest.mark.parametrize("page", pages())
def test_what_is_not_run_has_its_reason(page: str) -> None:
    for block in blocks(page):
        if block.language.startswith("{"):
            continue  # a directive, which the build runs
        assert block.language in RUNNABLE | SHOWN, f"{block.where}: in no language: say which"
        if block.language in SHOWN:
            first = block.text.lstrip()
            assert not first.startswith(("$ ", "c.", "import ", "greyhub ")), (
                f"{block.where}: this can be run: say in which language it is"
            )
        elif block.language == "console":
            assert block.text.startswith("$ "), f"{block.where}: a command begins with $"


def test_what_is_not_run_is_counted() -> None:
    """A reason is read once more when there are more of them."""
    said = [block.where for page in pages() for block in blocks(page) if block.reason]
    assert len(said) <= NOT_RUN, "\n".join(said)


NOT_RUN = 35
"""Blocks with a reason. Fewer is better; before it is raised, see what could be run."""
