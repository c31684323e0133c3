"""Every mistake keeps the hub from starting, and is said with place and fix."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.checks.mistakes import MISTAKES, Mistake
from tests.checks.starting import COMPOSE, place, refusal, write


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_it_is_refused(mistake: Mistake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JUPYTERHUB_CRYPT_KEY", raising=False)
    monkeypatch.chdir(tmp_path)
    for name, value in mistake.environ:
        monkeypatch.setenv(name, value)
    end = COMPOSE if mistake.end is None else mistake.end
    if "=== " in mistake.config and mistake.end == "":
        config = mistake.config.replace("\n=== ", COMPOSE + "\n=== ", 1)
    else:
        config = mistake.config
    file = write(tmp_path, config, end)
    said = refusal(file, *mistake.arguments)
    where = place(tmp_path) if mistake.where is None else mistake.where
    found = [part for part in said.split("\n\n") if mistake.says in part]
    assert found, said
    assert f"{where}{mistake.option}" in found[0]
    assert "fix: " in found[0]
    assert mistake.fix in said
    assert "Traceback" not in said
    assert "canary" not in said
    assert not (tmp_path / "greyhub-state").exists()
    assert "nothing was started" in said


def test_there_are_enough() -> None:
    assert len(MISTAKES) >= 60
    assert len({mistake.name for mistake in MISTAKES}) == len(MISTAKES)
