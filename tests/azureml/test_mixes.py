"""Any one slot local and the others Azure ML's, and all other mixes: the same notebook runs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.azureml.platforms import (
    MIXES,
    SLOTS,
    Azure,
    all_of_azure,
    await_result,
    open_lab,
    place,
    put_tutorial,
    run_tutorial,
)
from tests.support.browser import await_figure
from tests.support.hubs import Hub

__all__ = ["place"]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.processes,
    pytest.mark.browser,
    pytest.mark.timeout(400),
]


def possible(mix: Mapping[str, str]) -> bool:
    """Whether what is read by users' own rights in Azure has users that log in there."""
    return mix["auth"] == "azureml" or "azureml" not in (mix["homespace"], mix["data"])


@pytest.fixture(scope="module")
def azure() -> Iterator[Azure]:
    with all_of_azure() as found:
        yield found


def name_of(mix: Mapping[str, str]) -> str:
    return "-".join(slot for slot in SLOTS if mix[slot] == "azureml") or "none"


@pytest.mark.parametrize("mix", MIXES, ids=name_of)
def test_the_tutorial_runs_or_the_mix_is_refused_in_words(
    azure: Azure, place: Path, page: Page, mix: Mapping[str, str]
) -> None:
    hub = Hub(place, azure.config(mix))
    if not possible(mix):
        command = [sys.executable, "-m", "greyhub.cli", "check", "-f", str(hub.file)]
        checked = subprocess.run(command, capture_output=True, text=True)
        said = checked.stdout + checked.stderr
        assert checked.returncode, said
        assert "servers would get no tokens" in said
        assert "fix:" in said
        return
    azure.forget_result()
    try:
        hub.start()
        open_lab(page, hub, azure, mix)
        put_tutorial(hub)
        run_tutorial(page, hub)
        await_figure(page)
        await_result(azure, hub, mix)
    finally:
        hub.end()
