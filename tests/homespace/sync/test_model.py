"""Seeds of the model: machines that are killed at any step, faults, second writers, odd clocks."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.homespace.sync.model import run

LOST = (2748,)
"""Seeds in which something was lost once."""


def conditional(seed: int) -> bool:
    """Whether the seed's store writes on a condition, as S3 and Azure do.

    On one that cannot, two writers of one moment and a crash between them may lose
    a version: a long run, ``python -m tests.homespace.sync.model 0 10000``, tells.
    """
    return random.Random(seed).random() < 0.8


@pytest.mark.parametrize("seed", [*filter(conditional, range(75)), *LOST])
def test_nothing_is_lost(seed: int, tmp_path: Path) -> None:
    run(seed, tmp_path)
