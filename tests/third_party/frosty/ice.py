"""What several of the adapters go by."""

from __future__ import annotations

from traitlets import Float
from traitlets.config import Configurable


class Ice(Configurable):
    """How cold it is."""

    degrees = Float(-1.0, max=0.0, help="In Celsius.").tag(config=True)
