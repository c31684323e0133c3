"""``python -m greyhub.broker``: the hub starts it."""

from greyhub.broker.service import main

main()
