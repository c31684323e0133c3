"""``python -m greyhub.cli`` is ``greyhub``."""

from greyhub.cli import main

main()
