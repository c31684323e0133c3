"""What a catalogue must not have imported: see `code`. It does nothing."""


class Trap:
    """A class that a catalogue may not name."""
