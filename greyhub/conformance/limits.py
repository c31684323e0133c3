"""The factor by which every time limit of the suites is multiplied on a slow machine."""

from __future__ import annotations

import os

VARIABLE = "GREYHUB_TEST_PATIENCE"

PATIENCE = float(os.environ.get(VARIABLE) or 1)
"""What multiplies every time limit: 1, or what the environment says."""
