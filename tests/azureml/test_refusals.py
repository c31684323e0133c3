"""What Azure refuses is told in words: why, and what to do."""

from __future__ import annotations

import pytest

from greyhub.azureml.errors import NotFound, Refused, Unavailable
from greyhub.azureml.refusals import failed, refusal
from greyhub.azureml.states import failure, state

DOING = "make the compute x"


def said(status, code, message, **more):
    """A refusal with Azure's code and words."""
    return refusal(status, {"error": {"code": code, "message": message, **more}}, DOING)


@pytest.mark.parametrize(
    ("status", "code", "message", "reason"),
    [
        (
            400,
            "BadRequest",
            "The specified subscription has a Standard DSv2 family vCPU quota of 0 and is less "
            "than the requested compute instance's min nodes of 1 which maps to 4 vCPUs",
            "quota",
        ),
        (400, "ClusterCoreQuotaReached", "no more", "quota"),
        (409, "Conflict", "Operation results in exceeding quota limits", "quota"),
        (
            400,
            "BadRequest",
            "Compute name 'x' is not available. Reason: AlreadyExists. Message: The specified "
            "name x is already in use and is therefore unavailable",
            "name-taken",
        ),
        (409, "Conflict", "The compute already exists", "name-taken"),
        (400, "BadRequest", "The VM size STANDARD_X is not supported in region x", "size"),
        (409, "SkuNotAvailable", "The requested size is not available", "size"),
        (400, "UserError", "Allocation failed. There is not enough capacity", "capacity"),
        (409, "Conflict", "Another operation is in progress", "busy"),
        (409, "ScopeLocked", "The scope cannot perform write operation", "lock"),
        (404, "ResourceGroupNotFound", "Resource group 'rg' could not be found.", "workspace"),
        (404, "SubscriptionNotFound", "The subscription could not be found.", "workspace"),
        (404, "ParentResourceNotFound", "Can not perform requested operation", "workspace"),
        (409, "MissingSubscriptionRegistration", "The subscription is not", "workspace"),
        (401, "ExpiredAuthenticationToken", "The access token expiry is past", "authentication"),
        (401, "InvalidAuthenticationTokenTenant", "wrong issuer", "authentication"),
        (400, "BadRequest", "The request is invalid", "invalid"),
        (403, "", "no", "right"),
        (418, "Teapot", "no coffee", "other"),
    ],
)
def test_why_azure_refuses(status, code, message, reason):
    """By its code, or by its words where the code says nothing."""
    found = said(status, code, message)
    assert isinstance(found, Refused)
    assert found.reason == reason
    assert message.rstrip(".") in found.what
    assert DOING in found.what
    assert found.fix or reason == "other"


def test_the_right_that_is_missing_is_named():
    """The action, which the administrator has to give."""
    action = "Microsoft.MachineLearningServices/workspaces/computes/write"
    found = said(
        403,
        "AuthorizationFailed",
        f"The client 'c' does not have authorization to perform action '{action}' over scope '/s'",
    )
    assert found.reason == "right"
    assert f"the hub has not the right {action}:" in found.what
    assert "fix: give the hub's identity a role" in str(found)


def test_the_policy_that_forbids_is_named():
    """By the name that its owner knows."""
    info = {"policyAssignmentDisplayName": "No public IP"}
    found = said(
        403,
        "RequestDisallowedByPolicy",
        "Resource was disallowed by policy",
        additionalInfo=[{"type": "PolicyViolation", "info": info}],
    )
    assert found.reason == "policy"
    assert "'No public IP'" in found.what


def test_details_tell_more_than_the_error_itself():
    """Azure ML wraps what another service said."""
    inner = {"code": "QuotaExceeded", "message": "vCPUs are used up"}
    found = said(400, "UserError", "The request failed", details=[inner])
    assert found.reason == "quota"
    assert "The request failed: vCPUs are used up" in found.what


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_fault_of_azures_tells_nothing(status):
    """Also with a code that would tell something in another answer."""
    assert isinstance(said(status, "NotFound", "not found"), Unavailable)


def test_not_found_is_of_the_resource_itself():
    """Of its workspace, resource group or subscription, it is a refusal."""
    assert isinstance(said(404, "ResourceNotFound", "x was not found"), NotFound)
    assert isinstance(said(404, "UserError", "x was not found"), NotFound)
    assert isinstance(refusal(404, {}, DOING), NotFound)
    assert isinstance(said(404, "ResourceGroupNotFound", "no"), Refused)


@pytest.mark.parametrize("body", [None, [], "text", {"error": "text"}, {"error": {"details": 0}}])
def test_an_answer_that_is_no_error_of_azures(body):
    """Is told by its status."""
    assert "it answers 409" in str(refusal(409, body, DOING))


def compute(told=None, provisioning="Succeeded", errors=()):
    """A compute instance as Azure ML tells of it."""
    return {
        "name": "x",
        "properties": {
            "computeType": "ComputeInstance",
            "provisioningState": provisioning,
            "properties": {"state": told, "errors": list(errors)},
        },
    }


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (compute("Running"), "Running"),
        (compute(None, "Creating"), "Creating"),
        (compute(None, "Failed"), "CreateFailed"),
        (compute(None, "Deleting"), "Deleting"),
        (compute(None), "Unknown"),
        ({"properties": {"provisioningState": "Creating", "properties": None}}, "Creating"),
        ({}, "Unknown"),
    ],
)
def test_the_state_of_an_instance(found, expected):
    """While it is made, its own state is null."""
    assert state(found) == expected


def test_why_an_instance_failed():
    """By the errors that it tells of, or by its state."""
    error = {"error": {"code": "ClusterCoreQuotaReached", "message": "no vCPUs"}}
    assert failure(compute("CreateFailed", errors=[error])).reason == "quota"
    told = failure(compute("SetupFailed"))
    assert told.reason == "other"
    assert "setup script" in told.fix
    assert failure(compute("Running", errors=[error])) is None
    assert failure(compute("Stopped")) is None


def test_a_long_operation_that_failed():
    """Has an error as an answer has."""
    found = failed({"code": "QuotaExceeded", "message": "no"}, DOING)
    assert found.reason == "quota"
