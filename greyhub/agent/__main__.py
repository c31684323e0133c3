"""``python -m greyhub.agent DIRECTORY``: run the agent of this machine.

With ``--once`` before it, the agent ends with its first server, and has its exit status: so
it is a job of a cloud.
"""

from __future__ import annotations

import sys
from pathlib import Path

from greyhub.agent.once import run_once
from greyhub.agent.running import Agent
from greyhub.agent.state import State
from greyhub.errors import GreyHubError


def main() -> None:
    """Run until the process is ended; the server goes on without it."""
    once, words = "--once" in sys.argv[1:2], sys.argv[1:]
    if len(words) != 1 + once:
        raise SystemExit("usage: python -m greyhub.agent [--once] DIRECTORY")
    agent = Agent(State(Path(words[-1])))
    try:
        if once:
            raise SystemExit(run_once(agent))
        agent.run()
    except GreyHubError as error:
        raise SystemExit(f"greyhub-agent: {error}") from None


if __name__ == "__main__":
    main()
