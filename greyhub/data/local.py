"""Catalogues in YAML files on the hub's own machine."""

from __future__ import annotations

from greyhub.data import DataAdapter


class LocalData(DataAdapter):
    """Fills the slot with catalogue files; one that is missing keeps the hub from starting."""

    must_exist = True

    @classmethod
    def opens(cls, value: object) -> None:
        """Nothing: a catalogue's path is the base class's."""
        return None
