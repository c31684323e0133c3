"""Brings what the tests need beside Python's packages: a browser, the proxy, npm's packages.

Each is asked for twice: a registry may be busy once.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from greyhub import proxy
from tests.auth import openid_provider as openid
from tests.homespace.filesystem import servers
from tests.support import browser

AGAIN = 10
"""Seconds before the second try."""


def main() -> int:
    """Bring all of it; without npm's packages, only their own tests are skipped."""
    browser.main()
    twice(lambda: proxy.install(proxy.find_node()))
    for what, bring in (("Azure", servers.azurite_command), ("logins", openid.command)):
        try:
            twice(bring)
        except servers.Missing as error:
            print(f"tests of {what} will be skipped: {error}")
    return 0


def twice(bring: Callable[[], object]) -> None:
    """Call it, and once more if it fails."""
    try:
        bring()
    except Exception as error:
        print(f"once more, for: {error}", flush=True)
        time.sleep(AGAIN)
        bring()


if __name__ == "__main__":
    sys.exit(main())
