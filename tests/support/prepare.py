"""Brings what the tests need beside Python's packages: a browser, the proxy, npm's packages, Helm.

Each is asked for twice: a registry may be busy once.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from greyhub import proxy
from tests.auth import openid_provider as openid
from tests.chart import helm
from tests.homespace.filesystem import servers
from tests.support import browser

AGAIN = 10
"""Seconds before the second try."""


def main() -> int:
    """Bring all of it; without npm's packages or Helm, only their own tests are skipped."""
    with ThreadPoolExecutor() as pool:
        building = pool.submit(perhaps, "the chart", helm.build)
        browser.main()
        twice(lambda: proxy.install(proxy.find_node()))
        perhaps("Azure", servers.azurite_command)
        perhaps("logins", openid.command)
        building.result()
    return 0


def perhaps(what: str, bring: Callable[[], object]) -> None:
    """Call it; say what is not tested where it cannot be had."""
    try:
        twice(bring)
    except servers.Missing as error:
        print(f"tests of {what} will be skipped: {error}")


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
