"""Say in words why Azure refuses something.

Sources: the codes of errors that Azure Resource Manager documents,
https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors,
and what Azure ML says where its own code is only ``BadRequest`` or ``UserError``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from greyhub.azureml.errors import AzureMLError, NotFound, Reason, Refused, Unavailable

Body = Mapping[str, Any]


class Kind(NamedTuple):
    """One sort of refusal: how it is told, and what to do."""

    reason: Reason
    codes: re.Pattern[str]
    messages: re.Pattern[str] | None
    what: str
    fix: str


def _kind(
    reason: Reason, what: str, fix: str, codes: str = r"(?!)", messages: str | None = None
) -> Kind:
    said = re.compile(messages, re.I | re.S) if messages else None
    return Kind(reason, re.compile(codes, re.I), said, what, fix)


KINDS: Final = (
    _kind(
        "policy",
        "a policy of the subscription forbids it",
        "correct what the policy names, or let its owner exempt this workspace",
        r"RequestDisallowedBy(Policy|Azure)",
    ),
    _kind(
        "workspace",
        "the workspace is not there",
        "correct c.AzureML.subscription, resource_group and workspace",
        r"(Subscription|ResourceGroup|ParentResource|Workspace)NotFound|InvalidSubscriptionId",
    ),
    _kind(
        "workspace",
        "the subscription is disabled",
        "let its owner enable it again",
        r"(ReadOnly)?DisabledSubscription|SubscriptionDisabled",
    ),
    _kind(
        "workspace",
        "the subscription does not know Azure ML",
        "register it: az provider register --namespace Microsoft.MachineLearningServices",
        r"MissingSubscriptionRegistration|NoRegisteredProviderFound",
    ),
    _kind(
        "right",
        "the hub has not the right",
        "give the hub's identity a role with this action on the workspace, such as AzureML Compute "
        "Operator or AzureML Data Scientist; a new role takes some minutes",
        r"(Linked)?AuthorizationFailed|Forbidden|LinkedAccessCheckFailed|InsufficientPermissions",
    ),
    _kind(
        "authentication",
        "Azure does not take the hub's token",
        "compare c.AzureML.tenant_id with the subscription's tenant, and the machine's clock with "
        "the time",
        r"(Invalid|Expired)AuthenticationToken(Tenant)?|AuthenticationFailed|Unauthorized",
    ),
    _kind("lock", "a lock of Azure forbids it", "let its owner remove the lock", r"ScopeLocked"),
    _kind(
        "quota",
        "the quota is used up",
        "choose a smaller size, delete instances that nobody needs, or ask for a larger quota: a "
        "stopped instance counts, too",
        r".*Quota.*",
        r"\bquota\b",
    ),
    _kind(
        "capacity",
        "the region has no such machine free",
        "try again later, or choose another size",
        r".*(AllocationFailed|OutOfCapacity|CapacityNotAvailable)",
        r"(insufficient|not (have )?enough|no) capacity|out of capacity|allocation failed",
    ),
    _kind(
        "size",
        "the size is not offered here",
        "choose a size that the workspace's region has: greyhub check --live lists them",
        r"SkuNotAvailable|Invalid(VM|Vm)Size|VmSizeNot.*|UnsupportedVmSize",
        r"\b(vm ?size|vm series|sku)\b.*\b(not (supported|available|valid|offered)|invalid)",
    ),
    _kind(
        "name-taken",
        "the name is taken, maybe in another workspace of the region",
        "choose another prefix of names, or delete what has it",
        r".*AlreadyExists|NameNotAvailable",
        r"already (exists|in use|taken)|reason: alreadyexists",
    ),
    _kind(
        "busy",
        "something else is being done with it",
        "wait until that has ended",
        r"Conflict|.*InProgress|OperationNotAllowed|ConflictingOperation|InvalidState.*",
        r"in progress|cannot be \w+ (in|while)|(current|invalid) state",
    ),
    _kind(
        "invalid",
        "Azure does not accept the request",
        "correct the option that it names",
        r"Invalid.*|BadRequest|BadArgument|ValidationError|UserError|.*Validation.*",
    ),
)
"""The most telling first."""

VAGUE: Final = frozenset({"busy", "invalid"})
"""Sorts whose codes also stand where the message tells more."""

BY_STATUS: Final[Mapping[int, Reason]] = {
    400: "invalid",
    401: "authentication",
    403: "right",
    409: "busy",
}
"""What a status says by itself."""


def refusal(status: int, body: Any, doing: str) -> AzureMLError:
    """What an answer means that is no success.

    Parameters
    ----------
    status : int
        Its HTTP status.
    body : Any
        What it holds, as JSON; ``{"error": {"code": …, "message": …}}`` as a rule.
    doing : str
        What was asked for, such as ``"start the compute x"``.
    """
    error = _error(body)
    codes, said = [*_codes(error)], message(error) or f"it answers {status}"
    if status >= 500:
        return Unavailable(f"Azure cannot {doing}: {said}")
    coded = [each for each in KINDS if any(each.codes.fullmatch(code) for code in codes)]
    told = [each for each in KINDS if each.messages and each.messages.search(said)]
    plain = [each for each in KINDS if each.reason == BY_STATUS.get(status)]
    telling = [each for each in coded if each.reason not in VAGUE]
    if status == 404 and not telling:
        return NotFound(f"Azure cannot {doing}: {said}")
    for kind in (*telling, *told, *coded, *plain):
        return _refused(kind, error, said, doing, codes)
    return Refused("other", f"Azure refuses to {doing}: {said}", code=codes[0] if codes else "")


def failed(error: Any, doing: str) -> AzureMLError:
    """What it means that a long operation ended in an error, which its status holds."""
    return refusal(400, error, doing)


def _refused(kind: Kind, error: Body, said: str, doing: str, codes: list[str]) -> Refused:
    what, fix = kind.what, kind.fix
    if kind.reason == "right" and (actions := _actions(said)):
        what = f"{what} {actions}"
    if kind.reason == "policy" and (names := ", ".join(sorted({*_policies(error)}))):
        what = f"{what}: {names}"
    code = codes[0] if codes else ""
    return Refused(kind.reason, f"Azure refuses to {doing}: {what}: {said}", fix, code)


def _error(body: Any) -> Body:
    found = body.get("error", body) if isinstance(body, Mapping) else {}
    return found if isinstance(found, Mapping) else {}


def _codes(error: Body) -> Iterator[str]:
    """The codes of an error and of its details, the outer first."""
    if error.get("code"):
        yield str(error["code"])
    for each in error.get("details") or ():
        if isinstance(each, Mapping):
            yield from _codes(_error(each))


def message(error: Body) -> str:
    """What an error says, in one line: its own words, and its details' if those say more."""
    said = " ".join(str(error.get("message") or "").split()).rstrip(". ")
    for each in error.get("details") or ():
        inner = message(_error(each)) if isinstance(each, Mapping) else ""
        if inner and inner not in said:
            said = f"{said}: {inner}" if said else inner
    return said[:LONGEST]


LONGEST: Final = 700
"""Letters of Azure's words that are told."""


def _actions(said: str) -> str:
    """The rights that a message names: ``Microsoft.MachineLearningServices/…/write``."""
    found = re.findall(r"action(?:\(s\)|s)? '([^']+)'", said)
    return ", ".join(dict.fromkeys(found))


def _policies(error: Body) -> Iterator[str]:
    for each in error.get("additionalInfo") or ():
        info = each.get("info") if isinstance(each, Mapping) else None
        if isinstance(info, Mapping):
            name = info.get("policyAssignmentDisplayName") or info.get(
                "policyDefinitionDisplayName"
            )
            if name:
                yield repr(str(name))
