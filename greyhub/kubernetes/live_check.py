"""Ask a cluster whether it is there, and whether the hub may do in it what it must."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any, Final

from greyhub.adapter import Finding
from greyhub.kubernetes.connection import NoCluster, connected
from greyhub.kubernetes.names import hub_label
from greyhub.kubernetes.objects import CLUSTER, HUB, Objects
from greyhub.kubernetes.orphans import unknown
from greyhub.kubernetes.requests import Unreachable, patiently

RIGHTS: Final[Mapping[str, Sequence[str]]] = {
    "pods": ("create", "get", "list", "watch", "delete"),
    "pods/log": ("get",),
    "secrets": ("create", "update", "patch", "delete"),
    "events": ("list", "watch"),
}
"""What the spawner asks of the namespace, by resource."""

SKEW: Final = 60.0
"""Seconds by which two clocks may differ before tokens and certificates suffer."""

PATIENCE: Final = 10.0

IN_A_POD: Final = "KUBERNETES_SERVICE_HOST"
"""Kubernetes sets it in pods, which reach each other."""


async def cluster(
    namespace: str,
    rights: Mapping[str, Sequence[str]] = RIGHTS,
    hub_id: str = "",
    known: Collection[tuple[str, str]] = (),
) -> list[Finding]:
    """Findings on the cluster: its version, the hub's rights in a namespace, quota, clock, pods.

    Parameters
    ----------
    hub_id : str
        Whose pods are looked for; empty where there has been no hub yet.
    known : collection of tuple
        The user and server of each that the hub's database tells of.
    """

    async def question(api: Any) -> list[Finding]:
        from kubernetes_asyncio import client

        version = await patiently(client.VersionApi(api).get_code, PATIENCE)
        return [
            Finding("ok", f"Kubernetes {version.git_version} answers"),
            *await _clock(api),
            *await rights_in(api, namespace, rights, "make and end pods"),
            *await _quota(client.CoreV1Api(api), namespace),
            *await _servers(client.CoreV1Api(api), namespace, hub_id, known),
        ]

    return await asked(question)


async def asked(question: Callable[[Any], Awaitable[list[Finding]]]) -> list[Finding]:
    """What a question to the cluster finds, which is given a client; or why it cannot be asked."""
    from kubernetes_asyncio.client import ApiException

    try:
        async with connected() as api:
            return await question(api)
    except NoCluster as error:
        return [Finding("error", error.what, error.fix)]
    except Unreachable as error:
        return [Finding("error", str(error), "correct the address in the kubeconfig")]
    except ApiException as error:
        return [Finding("error", f"the cluster refuses: {error.status} {error.reason}")]


async def _clock(api: Any) -> list[Finding]:
    answer = await api.request("GET", f"{api.configuration.host}/version", _preload_content=False)
    date = answer.headers.get("Date")
    answer.close()
    skew = parsedate_to_datetime(date).timestamp() - time.time() if date else 0.0
    if abs(skew) <= SKEW:
        return []
    return [
        Finding("warning", f"the cluster's clock differs by {skew:.0f} s", "set both clocks by NTP")
    ]


async def missing_rights(
    api: Any, namespace: str, rights: Mapping[str, Sequence[str]]
) -> list[str]:
    """What of these the hub may not do, such as ``get pods/log``."""
    from kubernetes_asyncio import client

    reviews, missing = client.AuthorizationV1Api(api), []
    for resource, verbs in rights.items():
        kind, _, part = resource.partition("/")
        for verb in verbs:
            asked = {"namespace": namespace, "verb": verb, "resource": kind}
            attributes = asked | ({"subresource": part} if part else {})
            body = {"spec": {"resourceAttributes": attributes}}
            ask = partial(reviews.create_self_subject_access_review, body)
            answer = await patiently(ask, PATIENCE)
            if not answer.status.allowed:
                missing.append(f"{verb} {resource}")
    return missing


async def rights_in(
    api: Any, namespace: str, rights: Mapping[str, Sequence[str]], what: str
) -> list[Finding]:
    """Whether the hub has these rights in a namespace; ``what`` it may do if it has."""
    if missing := await missing_rights(api, namespace, rights):
        return [
            Finding(
                "error",
                f"the hub may not {', '.join(missing)} in the namespace {namespace}",
                "give its service account a Role with these verbs",
            )
        ]
    return [Finding("ok", f"the hub may {what} in the namespace {namespace}")]


async def _servers(
    api: Any, namespace: str, hub_id: str, known: Collection[tuple[str, str]]
) -> list[Finding]:
    labels = f"{HUB}={hub_label(hub_id)},!{CLUSTER}"
    pods = await Objects(api, namespace, PATIENCE).pods(labels) if hub_id else []
    found = await _path(pods)
    if lost := [each["metadata"]["name"] for each in unknown(pods, known)]:
        return [
            *found,
            Finding(
                "warning",
                f"pods of this hub that it does not know: {', '.join(sorted(lost))}",
                "start the hub, which ends them, or delete them by kubectl",
            ),
        ]
    said = f"{len(pods)} servers of this hub run in the namespace {namespace}"
    return [*found, Finding("ok", said)]


async def _path(pods: Sequence[Mapping[str, Any]]) -> list[Finding]:
    """Whether a pod is reached from here, by the addresses that the hub and its proxy use."""
    fix = (
        "give this machine a route to the pods' addresses, or run the hub and its proxy in the "
        "cluster"
    )
    for pod in pods:
        ports = [each["containerPort"] for each in pod["spec"]["containers"][0].get("ports", ())]
        address = pod["status"].get("podIP")
        if pod["status"].get("phase") != "Running" or not address or not ports:
            continue
        try:
            _, writer = await asyncio.wait_for(asyncio.open_connection(address, ports[0]), PATIENCE)
        except (OSError, TimeoutError) as error:
            said = f"the pod {pod['metadata']['name']} is not reached at {address}:{ports[0]}"
            return [Finding("error", f"{said}: {error or 'no answer'}", fix)]
        writer.close()
        return [Finding("ok", f"pods are reached from here, at {address}")]
    if IN_A_POD in os.environ:
        return []
    return [Finding("note", "whether pods are reached from here is seen once a server runs", fix)]


async def _quota(api: Any, namespace: str) -> list[Finding]:
    from kubernetes_asyncio.client import ApiException

    try:
        quotas = await patiently(lambda: api.list_namespaced_resource_quota(namespace), PATIENCE)
    except ApiException:
        return []  # it may not be looked at, and that is no fault
    found = []
    for quota in quotas.items:
        used, hard = quota.status.used or {}, quota.status.hard or {}
        full = [name for name, most in hard.items() if used.get(name) == most and most != "0"]
        if full:
            found.append(
                Finding(
                    "warning",
                    f"the quota {quota.metadata.name!r} is used up: {', '.join(sorted(full))}",
                    "raise it, or servers will be refused",
                )
            )
    return found
