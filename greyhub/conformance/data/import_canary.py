"""A module that no catalogue may import: its import is noticed by DATA-022. It does nothing."""


class Canary:
    """A class that a catalogue may not name."""
