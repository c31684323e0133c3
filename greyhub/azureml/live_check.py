"""Ask Azure whether the workspace is there, and whether the hub may do in it what it must."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any, Final

from greyhub.adapter import Finding
from greyhub.azureml.errors import AzureMLError, Refused
from greyhub.azureml.settings import OPTION, AzureML
from greyhub.azureml.workspace import Workspace
from greyhub.errors import ConfigError

_OF: Final = "Microsoft.MachineLearningServices/workspaces"

INSTANCES: Final = (
    f"{_OF}/read",
    f"{_OF}/computes/read",
    f"{_OF}/computes/write",
    f"{_OF}/computes/delete",
    f"{_OF}/computes/start/action",
    f"{_OF}/computes/stop/action",
    f"{_OF}/computes/restart/action",
)
"""What servers on compute instances ask of the workspace."""

JOBS: Final = (
    f"{_OF}/read",
    f"{_OF}/computes/read",
    f"{_OF}/environments/read",
    f"{_OF}/environments/versions/read",
    f"{_OF}/jobs/read",
    f"{_OF}/jobs/write",
    f"{_OF}/jobs/cancel/action",
)
"""What clusters of jobs ask of it."""

DATA: Final = (
    f"{_OF}/read",
    f"{_OF}/data/read",
    f"{_OF}/data/versions/read",
    f"{_OF}/datastores/read",
)
"""What catalogues of data assets ask of it."""

SKEW: Final = 60.0
"""Seconds by which two clocks may differ before tokens and certificates suffer."""

PATIENCE: Final = 10.0
"""Seconds for which a check's requests are repeated, at most."""


async def workspace(
    settings: AzureML,
    rights: Sequence[str],
    what: str,
    sizes: Collection[str] = (),
    option: str = "",
) -> list[Finding]:
    """Findings on the workspace, the hub's rights in it, the clock, and the quota for sizes.

    Parameters
    ----------
    settings : AzureML
        Which workspace, and by whose rights.
    rights : sequence of str
        Actions that the hub needs: `INSTANCES`, `JOBS`, `DATA`.
    what : str
        What it may do with them, in words: "make and end instances".
    sizes : collection of str
        Sizes of machines that users may have, such as ``Standard_DS3_v2``.
    option : str
        The option that they are from.
    """

    async def question(azure: Workspace) -> list[Finding]:
        found = await azure.itself()
        said = f"the workspace {settings.workspace} answers, in {found.get('location')}"
        return [
            Finding("ok", said),
            *_clock(azure),
            *await rights_in(azure, rights, what),
            *(await quota(azure, sizes, option) if sizes else ()),
        ]

    return await asked(settings, question)


async def environment(settings: AzureML, said: str, option: str) -> list[Finding]:
    """Whether the workspace has the environment that an option names."""

    async def question(azure: Workspace) -> list[Finding]:
        try:
            found = await azure.environment_id(said)
        except Refused as error:
            if error.reason != "environment":
                raise
            return [Finding("error", error.what, error.fix, option)]
        known = found.partition("/environments/")[2]
        return [Finding("ok", f"jobs run in the environment {known}")]

    return await asked(settings, question)


async def asked(
    settings: AzureML, question: Callable[[Workspace], Awaitable[list[Finding]]]
) -> list[Finding]:
    """What a question to a workspace finds; or why it cannot be asked."""
    problems = list(settings.problems())
    if problems:
        return [Finding("error", each.what, each.fix, each.where) for each in problems]
    short = AzureML(**{name: getattr(settings, name) for name in settings.trait_names(config=True)})
    short.patience = min(settings.patience, PATIENCE)
    azure = Workspace(short)
    try:
        return await question(azure)
    except ConfigError as error:
        return [Finding("error", error.what, error.fix, error.where)]
    except AzureMLError as error:
        fix = error.fix or "let the hub's machine reach Azure Resource Manager and Entra ID"
        return [Finding("error", error.what, fix, _BY_REASON.get(getattr(error, "reason", ""), ""))]
    finally:
        await azure.close()


_BY_REASON: Final = {
    "authentication": f"{OPTION}.credential",
    "workspace": f"{OPTION}.workspace",
}


def _clock(azure: Workspace) -> list[Finding]:
    skew = azure.connection.skew or 0.0
    if abs(skew) <= SKEW:
        return []
    said = f"Azure's clock differs by {skew:.0f} s"
    return [Finding("warning", said, "set this machine's clock by NTP")]


async def rights_in(azure: Workspace, actions: Sequence[str], what: str) -> list[Finding]:
    """Whether the hub has these rights in a workspace; ``what`` it may do if it has."""
    permissions = await azure.permissions()
    missing = [each for each in dict.fromkeys(actions) if not allowed(each, permissions)]
    if missing:
        return [
            Finding(
                "error",
                f"the hub has not the right {', '.join(missing)} in the workspace "
                f"{azure.settings.workspace}",
                "give the hub's identity a role with these actions; a new role takes some minutes",
            )
        ]
    return [Finding("ok", f"the hub may {what} in the workspace {azure.settings.workspace}")]


def allowed(action: str, permissions: Sequence[Mapping[str, Any]]) -> bool:
    """Whether one of the permissions has an action, and does not take it away itself."""
    return any(
        _matches(action, each.get("actions") or ())
        and not _matches(action, each.get("notActions") or ())
        for each in permissions
    )


def _matches(action: str, patterns: Sequence[str]) -> bool:
    """Whether a pattern fits; a star between slashes may stand for nothing."""
    plain = (re.escape(each).replace(r"/\*/", "/(.*/)?").replace(r"\*", ".*") for each in patterns)
    return any(re.fullmatch(each, action, re.IGNORECASE) for each in plain)


async def quota(azure: Workspace, sizes: Collection[str], option: str = "") -> list[Finding]:
    """Whether the region has these sizes, and whether one more machine of each fits the quota."""
    try:
        offered, usages = await azure.sizes(), await azure.usages()
    except Refused as error:
        if error.reason != "right":
            raise
        return [Finding("note", "the hub may not look at quotas, so they were not checked")]
    known = {str(each["name"]).lower(): each for each in offered}
    found = []
    for size in sorted(set(sizes)):
        if (about := known.get(size.lower())) is None:
            said = f"the workspace's region has no size {size}"
            near = ", ".join(sorted(str(each["name"]) for each in offered)[:SHOWN])
            found.append(Finding("error", said, f"take one of: {near}, …", option))
        elif not _fits(about, usages):
            said = f"the quota has no room for one more {size}: {_used(about, usages)}"
            fix = "ask for a larger quota, or delete instances that nobody needs"
            found.append(Finding("warning", said, fix, option))
    if not found:
        found.append(Finding("ok", f"the quota has room for each of {len(set(sizes))} sizes"))
    return found


SHOWN: Final = 10
"""Sizes that are told of, where one is not known."""


def _family(about: Mapping[str, Any], usages: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The quota of a size's family.

    That of ``standardDSv2Family`` is called "Standard DSv2 Family Cluster Dedicated vCPUs".
    """
    wanted = str(about.get("family", "")).lower()
    for each in usages:
        name = str((each.get("name") or {}).get("value", "")).lower().replace(" ", "")
        whole = "/vmfamily/" in str(each.get("type", "")).lower()
        if wanted and whole and name.startswith(wanted) and "lowpriority" not in name:
            return each
    return {}


def _fits(about: Mapping[str, Any], usages: Sequence[Mapping[str, Any]]) -> bool:
    usage = _family(about, usages)
    limit = int(usage.get("limit", -1))  # -1: none of its own
    return limit < 0 or int(usage.get("currentValue", 0)) + int(about.get("vCPUs", 0)) <= limit


def _used(about: Mapping[str, Any], usages: Sequence[Mapping[str, Any]]) -> str:
    usage = _family(about, usages)
    return (
        f"{usage.get('currentValue')} of {usage.get('limit')} vCPUs of {about.get('family')} are "
        f"used, and it takes {about.get('vCPUs')}"
    )
