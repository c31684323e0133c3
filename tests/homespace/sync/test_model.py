"""Seeds of the model: machines that are killed at any step, faults, second writers, odd clocks."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.homespace.sync.model import run

SEEDS = (*range(60), 101_033, 103_619)
"""The last two lost a renamed file once. For a long run, the model is a program."""


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_lost(seed: int, tmp_path: Path) -> None:
    run(seed, tmp_path)
