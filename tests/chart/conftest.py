"""Tests of the chart: those that need Helm are skipped where there is none."""

from __future__ import annotations

import pytest

from tests.chart.helm import NO_HELM
from tests.chart.rendering import HELM


@pytest.fixture(scope="session")
def helm_is_there() -> None:
    if not HELM:
        pytest.skip(NO_HELM)
