"""A stranger's distribution fills all five slots by entry points alone."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests

import greyhub
from greyhub.cli.reading import read
from tests.checks.starting import forget, write
from tests.support.hubs import Hub, running
from tests.support.waiting import MINUTE, until

THIRD_PARTY = Path(__file__).parents[1] / "third_party"


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The distribution on the path of this process and of those that it starts."""
    monkeypatch.syspath_prepend(str(THIRD_PARTY))
    monkeypatch.setenv("PYTHONPATH", str(THIRD_PARTY))
    return THIRD_PARTY


def test_every_slot_is_filled_by_a_stranger(directory: Path, installed: Path) -> None:
    home = str(directory / "{username}")
    config = f"""\
    c.GreyHub.flavour = "frosty"
    c.SimpleLocalProcessSpawner.home_dir_template = {home!r}
    c.JupyterHub.ip = "127.0.0.1"
    """
    with running(
        directory, config, arguments=("--SimpleLocalProcessSpawner.args=--allow-root",)
    ) as hub:
        (directory / "ada").mkdir()
        session = hub.login("ada", "")
        page = session.get(f"{hub.url}hub/home", timeout=MINUTE).text
        assert "frosty 1.2" in page
        assert "this home melts when the server stops" in page
        hub.spawn("ada")
        environment = hub.environment("ada")
        assert environment["FROSTY"] == "spawner"
        platform = greyhub.connect(environ=environment)
        assert platform.cluster(workers=3) == ("cluster of ada", {"workers": 3})
        assert platform.data == {"ice": 1}
        platform.home.pipe("x", b"cold")
        assert platform.home.cat("x") == b"cold"
        services = hub.api("GET", "services")
        assert {"tests", "frosty-broker"} <= set(services)
        assert hub.ticket("ada", "homespace").label == "a home that melts"
        until(lambda: requests.get(hub.url, timeout=MINUTE).ok)


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("degrees = -20.0", ""),
        ("degree = -20.0", "Ice has no option degree"),
        ("degrees = 20.0", "c.Ice.degrees: "),
    ],
)
def test_a_section_that_adapters_share(
    directory: Path, installed: Path, option: str, said: str
) -> None:
    config = f'c.GreyHub.cluster = "frosty"\nc.Ice.{option}'
    found = [str(each) for each in read(str(write(directory, config))).findings]
    forget()
    about = [each for each in found if "Ice" in each]
    assert len(about) == bool(said)
    assert said in "".join(about)


def test_an_error_inside_a_strangers_adapter_names_it(directory: Path, installed: Path) -> None:
    said = Hub(directory, 'c.GreyHub.data = "broken"').refused()
    assert "c.GreyHub.data: 'broken' (from frosty 1.2) could not be imported" in said
    assert "RuntimeError: the ice is too thin" in said
