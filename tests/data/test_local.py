"""The adapter: catalogues are judged as the hub starts, and told of on request."""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path
from typing import Any

import pytest
from traitlets import TraitError
from traitlets.config import Config

from greyhub.adapter import Finding
from greyhub.data import DataAdapter
from greyhub.data.local import LocalData
from greyhub.errors import ConfigError
from greyhub.hub import GreyHub
from tests.data.support import FIRST, SECOND, Server, Write
from tests.support.hubs import Hub

WIND = "sources: {wind: {driver: csv, args: {urlpath: wind.csv}}}"


def adapter(directory: Path, catalogs: Any = None, value: str = "local", **more: Any) -> Any:
    """The data adapter of a hub whose config file stands in ``directory``."""
    config = Config({"GreyHub": {"data": value}})
    if catalogs is not None or more:
        config.LocalData = Config({"catalogs": catalogs or [], **more})
    found = GreyHub(directory=directory, config=config).adapters["data"]
    assert isinstance(found, DataAdapter)
    return found


async def opened(found: DataAdapter) -> Any:
    """What a notebook gets from it."""
    return found.connect(await found.ticket(None))


def said(findings: list[Finding], level: str) -> str:
    return "\n".join(f"{each.message} {each.fix}" for each in findings if each.level == level)


async def test_from_the_option_to_the_notebook(write: Write, folder: Path) -> None:
    write(SECOND, "a.yaml")
    write(WIND, "deep/b.yaml")
    write((FIRST.replace("{{ CATALOG_DIR }}", "{PLACE}")), "c.yaml")
    catalogs = {"sky": "a.yaml", "sea": "deep/b.yaml", "land": str(folder / "c.yaml")}
    found = adapter(folder, catalogs, parameters={"PLACE": str(folder)})
    assert isinstance(found, LocalData)
    assert found.contribute().config == {}
    catalog = await opened(found)
    assert list(catalog) == ["sky.rain", "sea.wind", "land.rain"]
    assert len(catalog["land.rain"].read()) == 3


async def test_the_ticket_is_for_all_eyes(write: Write, folder: Path) -> None:
    write(FIRST)
    found = adapter(folder, ["catalog.yaml"], environment=["RAIN_KEY"], readers=["my:Reader"])
    assert await found.ticket(None) == {
        "catalogs": [("", str(folder / "catalog.yaml"))],
        "parameters": {},
        "environment": ["RAIN_KEY"],
        "readers": ["my:Reader"],
    }


def test_an_old_ticket_is_read(write: Write) -> None:
    ticket = {"catalogs": [["", write(FIRST)]], "parameters": {}}
    assert list(LocalData.connect(ticket)) == ["rain"]


def test_a_path_fills_the_slot(write: Write, folder: Path) -> None:
    write(FIRST)
    found = adapter(folder, value="catalog.yaml")
    found.contribute()
    assert type(found) is DataAdapter
    assert found.label() == "1 dataset in 1 catalogue"


def test_no_catalogue_at_all(folder: Path) -> None:
    found = adapter(folder)
    found.contribute()
    assert found.label() == "0 catalogues"


# Starting

REFUSED = {
    "missing": (None, ": there is no such catalogue"),
    "malformed": ("sources:\n  rain: [\n", ":3: is not YAML"),
    "empty": ("", ":1: is empty"),
    "binary": ("sources: \x00", ":1: is not text"),
    "of another version": ("version: 7", ":1: has version 7"),
}


@pytest.mark.parametrize(("text", "words"), REFUSED.values(), ids=REFUSED.keys())
@pytest.mark.parametrize("value", ["local", "catalog.yaml"])
def test_a_start_that_is_refused(
    write: Write, folder: Path, text: str | None, words: str, value: str
) -> None:
    if text is not None:
        write(text.encode())
    found = adapter(folder, ["catalog.yaml"], value=value)
    with pytest.raises(ConfigError) as caught:
        found.contribute()
    assert str(caught.value).startswith(f"{folder}/catalog.yaml{words}")


def test_a_path_of_the_servers_may_be_missing_where_the_hub_is(folder: Path) -> None:
    found = adapter(folder, value="/mnt/of/the/servers/catalog.yaml")
    found.contribute()
    assert found.label() == "1 catalogue"


def test_a_clash(write: Write, folder: Path) -> None:
    one, other = write(FIRST, "a.yaml"), write(SECOND, "b.yaml")
    with pytest.raises(ConfigError, match="two datasets 'rain'") as caught:
        adapter(folder, ["a.yaml", "b.yaml"]).contribute()
    assert caught.value.where == f"{other}:3"
    assert one in caught.value.what
    assert "c.LocalData.catalogs = {" in caught.value.fix


@pytest.mark.root
def test_a_catalogue_that_the_hub_may_not_read(
    write: Write, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(write(FIRST))
    path.chmod(0)
    for each in (folder, *folder.parents):
        each.chmod(each.stat().st_mode | 0o011)
    monkeypatch.setattr(os, "geteuid", lambda: 65534)
    os.seteuid(65534)
    try:
        with pytest.raises(ConfigError, match="cannot be read: permission denied"):
            adapter(folder, [str(path)]).contribute()
    finally:
        os.seteuid(0)


def test_a_bad_entry_is_told_in_the_log(
    write: Write, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = write(FIRST.rstrip() + "\n      bad: 7\n")
    found = adapter(folder, ["catalog.yaml"])
    found.log = logging.getLogger("greyhub.test")
    found.contribute()
    assert f"a dataset cannot be opened: {path}:6: 'bad' is no mapping" in caplog.text
    assert found.label() == "1 dataset in 1 catalogue"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"parameters": {"archive": "/x"}}, "'archive' must be named in capitals"),
        ({"parameters": {"CATALOG_DIR": "/x"}}, "CATALOG_DIR is taken"),
        ({"parameters": {"X": "{Y}"}}, "the parameter X has braces in its value"),
        ({"environment": ["JUPYTERHUB_API_TOKEN"]}, "JUPYTERHUB_API_TOKEN belongs to the hub"),
        ({"catalogs": ["https://ada:pw@host/c.yaml"]}, "a catalogue's URL holds a password"),
        ({"catalogs": [""]}, "a catalogue's path is empty"),
        ({"catalogs": [7]}, "catalogs"),
    ],
)
def test_options_that_are_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(TraitError, match=words) as caught:
        LocalData(config=Config({"LocalData": options}))
    assert "pw" not in str(caught.value)
    if "catalogs" not in options:
        with pytest.raises(TraitError, match=words):
            DataAdapter(config=Config({"DataAdapter": options}))


def test_a_hub_that_does_not_start(directory: Path) -> None:
    (directory / "catalog.yaml").write_text("sources:\n  rain: [\n")
    config = """\
    c.LocalData.catalogs = ["catalog.yaml"]
    c.LocalData.parameters = {"archive": "/data"}
    """
    said = Hub(directory, config).refused()
    assert "c.LocalData.parameters: " in said
    assert "the parameter 'archive' must be named in capitals" in said
    assert f"{directory}/catalog.yaml:3: is not YAML" in said
    assert "Traceback" not in said


def test_it_is_cheap(write: Write, folder: Path) -> None:
    text = "sources:\n" + "".join(
        f"  s{n}:\n    driver: csv\n    args: {{urlpath: '{{{{ CATALOG_DIR }}}}/{n}.csv'}}\n"
        for n in range(20)
    )
    write(text)
    found = adapter(folder, ["catalog.yaml"])
    found.contribute()
    start = time.process_time()
    for _ in range(5):
        found.contribute()
    assert (time.process_time() - start) / 5 < 0.02


# Asking


def test_its_label(write: Write, folder: Path) -> None:
    write(FIRST, "a.yaml")
    write(WIND, "b.yaml")
    found = adapter(folder, ["a.yaml", "b.yaml"])
    found.contribute()
    assert found.label() == "2 datasets in 2 catalogues"
    found = adapter(folder, ["a.yaml", "https://example.org/c.yaml"])
    found.contribute()
    assert found.label() == "at least 1 dataset in 2 catalogues"


async def test_its_label_follows_the_files(write: Write, folder: Path) -> None:
    write(FIRST)
    found = adapter(folder, ["catalog.yaml"])
    found.contribute()
    write(FIRST.rstrip() + "\n      snow: {driver: csv}\n")
    await found.ticket(None)
    assert found.label() == "2 datasets in 1 catalogue"
    write("sources: [")
    await found.ticket(None)  # a server may start without its data
    assert found.label() == "2 datasets in 1 catalogue"


async def test_a_check_of_what_is_right(write: Write, folder: Path) -> None:
    path = write(FIRST)
    findings = await adapter(folder, [path]).check()
    assert f"{path}: 1 dataset" in said(findings, "ok")


async def test_a_check_of_a_url(server: Server, write: Write, folder: Path) -> None:
    within = f"\n      web: {{driver: yaml_file_cat, args: {{path: '{server.url()}'}}}}\n"
    found = adapter(folder, {"web": server.url(), "here": write(FIRST.rstrip() + within)})
    found.contribute()
    await found.ticket(None)
    assert server.answers == []  # a hub that starts waits for nobody
    findings = await found.check()
    assert f"{server.url()}: 1 dataset" in said(findings, "ok")
    assert server.url() not in said(findings, "error")
    assert found.label() == "2 datasets in 2 catalogues"
    server.files["c.yaml"] = "sources:\n  rain:\n    driver: csv\n  bad: 7\n"
    assert f"{server.url()}:4: 'bad' is no mapping" in said(await found.check(), "error")
    server.files["c.yaml"] = "sources: [\n"
    assert f"{server.url()}:2: is not YAML" in said(await found.check(), "error")


async def test_a_check_of_a_url_that_the_hub_cannot_see(
    server: Server, write: Write, folder: Path
) -> None:
    path = write(FIRST)
    found = adapter(folder, {"web": f"{server.url()}?key=s3cr3t", "here": path})
    server.fault = "403"
    findings = await found.check()
    assert f"{path}: 1 dataset" in said(findings, "ok")
    warned = said(findings, "warning")
    assert f"{server.url()}: this catalogue cannot be read: its server answers 403" in warned
    assert "s3cr3t" not in "".join(map(str, findings))


async def test_a_url_leads_the_hub_to_no_file_and_no_other_server(
    server: Server, write: Write, folder: Path
) -> None:
    with Server() as other:
        server.files = {
            "c.yaml": f"""
sources:
  beside: {{driver: yaml_file_cat, args: {{path: beside.yaml}}}}
  file: {{driver: yaml_file_cat, args: {{path: {write("the hub's own")}}}}}
  other: {{driver: yaml_file_cat, args: {{path: "{other.url()}"}}}}
""",
            "beside.yaml": "sources: [",
        }
        findings = await adapter(folder, [server.url()]).check()
    assert "beside.yaml:2: is not YAML" in said(findings, "error")
    notes = said(findings, "note")
    assert f"{folder}/catalog.yaml: not read by the hub" in notes
    assert f"{other.url()}: not read by the hub" in notes
    assert "hub's own" not in "".join(map(str, findings))


async def test_a_check_of_what_is_wrong(write: Write, folder: Path) -> None:
    path = write(
        FIRST.rstrip()
        + """
      bad: 7
      gone: {driver: csv, args: {urlpath: gone.csv}}
      open: {driver: csv, args: {urlpath: rain.csv, storage_options: {password: s3cr3t}}}
"""
    )
    findings = await adapter(folder, [path]).check()
    errors = said(findings, "error")
    assert f"{path}:6: 'bad' is no mapping" in errors
    assert f"{path}:7: 'gone' is not here: there is no {folder}/gone.csv" in errors
    notes = said(findings, "note")
    assert f"{path}:8: 'open' says a secret in plain text (password)" in notes
    assert "s3cr3t" not in notes


async def test_a_check_counts_what_can_be_opened(write: Write, folder: Path) -> None:
    path = write(FIRST.rstrip() + "\n      snow: {driver: no-such-driver}\n")
    found = adapter(folder, [path])
    findings = await found.check()
    assert f"{path}: 1 dataset" in said(findings, "ok")
    assert "2 datasets" not in said(findings, "ok")
    assert "'snow' needs the driver 'no-such-driver'" in said(findings, "error")


@pytest.mark.parametrize(
    ("url", "says", "fix"),
    [
        ("htps://h/rain.csv", "the protocol 'htps'; did you mean", "write 'https://h/rain.csv'"),
        ("s3:///rain.csv", "names no bucket", "write 's3://BUCKET/rain.csv'"),
        ("https://h:99999/rain.csv", "'99999' for a port", "from 1 to 65535"),
    ],
)
async def test_a_check_of_a_dataset_at_no_address(
    write: Write, folder: Path, url: str, says: str, fix: str
) -> None:
    path = write(f"sources:\n  rain: {{driver: csv, args: {{urlpath: '{url}'}}}}\n")
    found = await adapter(folder, [path]).check()
    (bad,) = [each for each in found if f"{path}:2: 'rain'" in each.message]
    assert bad.level == "error"
    assert says in bad.message
    assert fix in bad.fix


async def test_a_check_of_a_malformed_file(write: Write, folder: Path) -> None:
    path = write("")
    (finding,) = await adapter(folder, [path]).check()
    assert finding.level == "error"
    assert finding.message.startswith(f"{path}:1: is empty")


async def test_many_findings_are_told_short(write: Write, folder: Path) -> None:
    path = write("sources:\n" + "".join(f"  s{n}: 7\n" for n in range(12)))
    findings = await adapter(folder, [path]).check()
    errors = [each.message for each in findings if each.level == "error"]
    assert sum("is no mapping" in message for message in errors) == 5
    assert "and 7 more of this kind" in errors


@pytest.mark.root
async def test_a_check_of_who_can_read(write: Write, directory: Path) -> None:
    catalog, data = directory / "deep" / "catalog.yaml", directory / "rain.csv"
    catalog.parent.mkdir(mode=0o755)
    catalog.write_text("sources: {rain: {driver: csv, args: {urlpath: ../rain.csv}}}")
    data.write_text("a\n1\n")
    found = adapter(directory, [str(catalog)])
    assert said(await found.check(), "error") == ""

    catalog.chmod(0o600)
    assert f"{catalog}: this catalogue cannot be read by users chmod o+r" in said(
        await found.check(), "error"
    )
    catalog.chmod(0o644)
    catalog.parent.chmod(0o700)
    assert f"cannot be reached by users: {catalog.parent} lets nobody pass" in said(
        await found.check(), "error"
    )
    catalog.parent.chmod(0o755)
    data.chmod(0o600)
    assert f"{data}: this data of 'rain' cannot be read by users" in said(
        await found.check(), "error"
    )
