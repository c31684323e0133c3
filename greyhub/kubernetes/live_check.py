"""Ask a cluster whether it is there, and whether the hub may do in it what it must."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any, Final

from greyhub.adapter import Finding
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


async def cluster(namespace: str, rights: Mapping[str, Sequence[str]] = RIGHTS) -> list[Finding]:
    """Findings on the cluster: its version, the hub's rights in a namespace, quota, clock."""
    from kubernetes_asyncio import client
    from kubernetes_asyncio.config import ConfigException
    from kubespawner.clients import load_config

    try:
        load_config()
    except (ConfigException, OSError) as error:
        return [
            Finding(
                "error",
                f"no cluster is known here: {error}",
                "let KUBECONFIG name a kubeconfig file, or run the hub in a pod with a service "
                "account",
            )
        ]
    async with client.ApiClient() as api:
        try:
            version = await patiently(client.VersionApi(api).get_code, PATIENCE)
            found = [Finding("ok", f"Kubernetes {version.git_version} answers")]
            found += await _clock(api)
            found += await rights_in(api, namespace, rights, "make and end pods")
            found += await _quota(client.CoreV1Api(api), namespace)
        except Unreachable as error:
            return [Finding("error", str(error), "correct the address in the kubeconfig")]
        except client.ApiException as error:
            return [Finding("error", f"the cluster refuses: {error.status} {error.reason}")]
    return found


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


async def rights_in(
    api: Any, namespace: str, rights: Mapping[str, Sequence[str]], what: str
) -> list[Finding]:
    """Whether the hub has these rights in a namespace; ``what`` it may do if it has."""
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
    if missing:
        return [
            Finding(
                "error",
                f"the hub may not {', '.join(missing)} in the namespace {namespace}",
                "give its service account a Role with these verbs",
            )
        ]
    return [Finding("ok", f"the hub may {what} in the namespace {namespace}")]


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
