"""An agent that is a job of a cloud: it ends with its server, and never waits for ever."""

from __future__ import annotations

import signal
import time
from contextlib import suppress
from types import FrameType
from typing import Final

from greyhub.agent.hub import NotAnswered, NotGiven
from greyhub.agent.running import PAUSE, Agent
from greyhub.agent.server import Server, log_tail

PATIENCE: Final = 900.0
"""Seconds for which a hub is asked that does not answer, before there is a server."""

UNWANTED: Final = 1
"""The exit status where the hub does not want this job any more."""


def run_once(agent: Agent) -> int:
    """Run one server of the hub's; its exit status, as a shell tells it.

    Raises
    ------
    greyhub.agent.hub.NotGiven
        The hub refuses.
    greyhub.agent.hub.NotAnswered
        It is away, and was for long.
    """
    signal.signal(signal.SIGTERM, _end)
    agent.once, agent.hub.patience = True, PATIENCE
    agent.register()
    server = None
    try:
        if server := agent.boot():
            agent.attend(server)
    finally:  # also where the job is ended in the moment in which the server starts
        if left := server or Server.found(agent.state):
            left.stop()
    _tell_end(agent)
    status = int(agent.state.run().get("status", UNWANTED))
    return 128 - status if status < 0 else status


def _end(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def _tell_end(agent: Agent) -> None:
    """Say how the server has ended; of a hub that is away, the cloud's own word is enough."""
    noted = agent.state.run()
    if "status" not in noted:
        return
    run, status, log = noted["run"], noted["status"], log_tail(agent.state)
    for _ in range(3):
        with suppress(NotAnswered, NotGiven):
            agent.hub.ask("boot", after=run, status=status, log=log)
            return
        time.sleep(PAUSE)
