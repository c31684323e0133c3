"""Seeds of the model: machines that are killed at any step, faults, second writers, odd clocks."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.homespace.sync.model import run

SEEDS = (101_033, 103_619, *range(60))
"""The first two lost a renamed file once. For a long run, the model is a program."""

EVERY_RUN = 8


@pytest.mark.parametrize(
    "seed",
    [
        pytest.param(seed, marks=pytest.mark.slow) if number >= EVERY_RUN else seed
        for number, seed in enumerate(SEEDS)
    ],
)
def test_nothing_is_lost(seed: int, tmp_path: Path) -> None:
    run(seed, tmp_path)
