"""The states of a compute, and why it failed.

Source: ``ComputeInstanceState`` of the Azure ML REST API, 2025-12-01.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from greyhub.azureml.errors import Refused
from greyhub.azureml.refusals import failed

COMING: Final = frozenset(
    {
        "Creating",
        "JobRunning",
        "Resizing",
        "Restarting",
        "Running",
        "SettingUp",
        "Starting",
        "UserSettingUp",
    }
)
"""It runs, or will."""

GOING: Final = frozenset({"Stopped", "Stopping", "Deleting"})
"""It does not run, or will not."""

BEING_DELETED: Final = frozenset({"Deleting"})

FAILED: Final = frozenset({"CreateFailed", "SetupFailed", "UserSetupFailed", "Unusable"})
"""It does not run, and will not by itself."""

UNKNOWN: Final = "Unknown"
"""Azure itself does not know: the instance may run."""

CHANGING: Final = (COMING | GOING) - {"JobRunning", "Running", "Stopped"}
"""It will be in another state soon."""


def state(compute: Mapping[str, Any]) -> str:
    """The state of a compute instance.

    While it is made, Azure may tell none: then it is ``Creating``, or ``CreateFailed``,
    ``Deleting`` by its ``provisioningState``; ``Unknown`` if that says nothing either.
    """
    about = compute.get("properties") or {}
    told = (about.get("properties") or {}).get("state")
    return str(told or _PROVISIONING.get(str(about.get("provisioningState")), UNKNOWN))


_PROVISIONING: Final = {
    "Creating": "Creating",
    "Updating": "Creating",
    "Failed": "CreateFailed",
    "Canceled": "CreateFailed",
    "Deleting": "Deleting",
}


def address(compute: Mapping[str, Any]) -> str:
    """The private address of an instance; empty while it has none."""
    about = (compute.get("properties") or {}).get("properties") or {}
    return str((about.get("connectivityEndpoints") or {}).get("privateIpAddress") or "")


def failure(compute: Mapping[str, Any]) -> Refused | None:
    """Why a compute does not run, in words; None if nothing is known to be wrong with it."""
    now = state(compute)
    if now not in FAILED:
        return None
    name, said = compute.get("name", ""), list(_errors(compute))
    if said:
        found = failed({"message": f"{now}", "details": said}, f"run the compute {name}")
        if isinstance(found, Refused) and found.reason not in ("invalid", "other"):
            return found
        return Refused("other", f"the compute {name} failed: {found.what}", _FIXES[now])
    return Refused("other", f"the compute {name} is in the state {now}", _FIXES[now])


_FIXES: Final = {
    "CreateFailed": "look at it in Azure ML Studio, delete it, and start the server again",
    "SetupFailed": "look at the log of its setup script in Azure ML Studio, among its details",
    "UserSetupFailed": "look at the log of its setup script in Azure ML Studio, among its details",
    "Unusable": "restart it in Azure ML Studio, or delete it, and start the server again",
}


def _errors(compute: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The errors that a compute tells of: Azure wraps each in ``error``, or not."""
    about = compute.get("properties") or {}
    inner = about.get("properties") or {}
    for each in (*(about.get("provisioningErrors") or ()), *(inner.get("errors") or ())):
        if isinstance(each, Mapping):
            yield each.get("error") or each
