"""Seeds of the model: machines that are killed at any step, faults, second writers, odd clocks."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.homespace.sync.model import run

SEEDS = range(60)
"""A long run: ``python -m tests.homespace.sync.model 0 10000``."""


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_lost(seed: int, tmp_path: Path) -> None:
    run(seed, tmp_path)
