"""Nothing is said against what is right, however odd it looks."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from greyhub.cli.reading import read
from tests.checks.right import RIGHT, Right
from tests.checks.starting import forget, start, write


@pytest.fixture
def file(right: Right, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, value in right.environ:
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    sys.modules.pop("helper_of_mine", None)
    return write(tmp_path, right.config)


@pytest.mark.parametrize("right", RIGHT, ids=lambda right: right.name)
def test_it_passes_without_a_warning(right: Right, file: Path) -> None:
    reading = read(str(file), right.arguments)
    bad = [str(found) for found in reading.findings if found.level in ("error", "warning")]
    assert not bad
    assert reading.composition is not None
    assert "canary" not in "".join(map(str, reading.findings))
    assert not (file.parent / "greyhub-state").exists()
    forget()


PROXIED = "\nc.ConfigurableHTTPProxy.should_start = False\n"


@pytest.mark.parametrize("right", RIGHT[:8], ids=lambda right: right.name)
def test_it_starts_too(right: Right, file: Path) -> None:
    file.write_text(PROXIED + file.read_text())
    app = start(file, *right.arguments)
    assert (file.parent / "greyhub-state/hub").is_dir()
    assert "composed" in app.config.GreyHub
    forget()


def test_there_are_enough() -> None:
    assert len(RIGHT) >= 30
    assert len({right.name for right in RIGHT}) == len(RIGHT)


@pytest.mark.parametrize("option", ["mem_limit = '2G'", "cpu_limit = 1.5"])
def test_a_limit_that_nothing_enforces_is_warned_of(option: str, tmp_path: Path) -> None:
    found = read(str(write(tmp_path, f"c.Spawner.{option}"))).findings
    forget()
    said = [each for each in found if each.level == "warning"]
    assert [each.option for each in said] == [f"c.Spawner.{option.partition(' ')[0]}"]
    assert "nothing enforces it" in said[0].message
    assert said[0].place.endswith(":1")


TOKEN = "import secrets\nt = secrets.token_hex()\n"
SERVICE = 'c.JupyterHub.services = [{"name": "a", "url": "http://127.0.0.1:9000", '
HALF = {
    "nobody could log in by the service 'a': there is no scope 'list:user'; did you mean": SERVICE
    + '"oauth_client_allowed_scopes": ["list:user!group=x", "self"]}]',
    "two services are called 'a'": 'c.JupyterHub.services = [{"name": "a"}, {"name": "a"}]',
    "the services 'a' and 'b' have one token": TOKEN
    + 'c.JupyterHub.services = [{"name": "a", "api_token": t}, {"name": "b", "api_token": t}]',
}


@pytest.mark.parametrize("says", HALF)
def test_services_with_which_the_hub_starts_and_that_do_not_work_are_warned_of(
    says: str, tmp_path: Path
) -> None:
    found = read(str(write(tmp_path, HALF[says]))).findings
    forget()
    (said,) = [each for each in found if each.level == "warning"]
    assert said.option == "c.JupyterHub.services"
    assert said.message.startswith(says)
    assert said.fix
    assert not [each for each in found if each.level == "error"]
