"""Somebody who has read a job's command, as everybody in a workspace may."""

from __future__ import annotations

import json
from typing import Any

from greyhub.agent.hub import Hub
from greyhub.conformance.testkit.azureml import Simulator
from greyhub.rendezvous.protocol import Keys


def settings_in(azure: Simulator, job: str) -> dict[str, Any]:
    """What the only job in whose name this stands gives its agent."""
    [command] = [
        json.loads(each.body)["properties"]["command"]
        for each in azure.requests
        if each.method == "PUT" and job in each.path
    ]
    found: dict[str, Any] = json.loads(command.partition("printf %s '")[2].partition("' > ")[0])
    return found


def register(azure: Simulator, job: str) -> Hub:
    """Show a job's nonce, with keys of one's own."""
    settings, keys = settings_in(azure, job), Keys.make()
    thief = Hub(settings["hub"], keys, settings["authorities"])
    thief.ask("register", nonce=settings["nonce"], sealing=keys.public.sealing, machine={})
    return thief
