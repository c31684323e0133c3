"""A module that a catalogue must not have imported; it does nothing."""


class Trap:
    """A class that a catalogue may not name."""
