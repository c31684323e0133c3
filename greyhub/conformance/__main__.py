"""``python -m greyhub.conformance``: the same as ``greyhub conform``."""

from greyhub.conformance.command import conform

conform(prog_name="greyhub conform")
