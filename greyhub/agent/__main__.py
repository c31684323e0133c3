"""``python -m greyhub.agent DIRECTORY``: run the agent of this machine."""

from __future__ import annotations

import sys
from pathlib import Path

from greyhub.agent.running import Agent
from greyhub.agent.state import State
from greyhub.errors import GreyHubError


def main() -> None:
    """Run until the process is ended; the server goes on without it."""
    if len(sys.argv) != 2:
        raise SystemExit("usage: python -m greyhub.agent DIRECTORY")
    try:
        Agent(State(Path(sys.argv[1]))).run()
    except GreyHubError as error:
        raise SystemExit(f"greyhub-agent: {error}") from None


if __name__ == "__main__":
    main()
