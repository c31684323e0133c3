"""dask-kubernetes' operator: whether it is there, and what a notebook must be allowed for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

from traitlets.config import Config

from greyhub.adapter import Finding
from greyhub.kubernetes.live_check import PATIENCE, asked
from greyhub.kubernetes.namespace import SECTIONS, servers_namespace, spawner_option
from greyhub.kubernetes.namespace import user_namespaces as of_each_user
from greyhub.kubernetes.requests import patiently

GROUP: Final = "kubernetes.dask.org"

_MAKES: Final = ("get", "list", "create", "patch", "delete")
_LOOKS: Final = ("get", "list")

RIGHTS: Final[Mapping[tuple[str, str], Sequence[str]]] = {
    (GROUP, "daskclusters"): _MAKES,
    (GROUP, "daskworkergroups"): _MAKES,
    (GROUP, "daskworkergroups/scale"): ("get", "patch"),
    (GROUP, "daskautoscalers"): _MAKES,
    ("", "pods"): _LOOKS,
    ("", "pods/log"): _LOOKS,
    ("", "services"): _LOOKS,
}
"""What KubeCluster asks of a namespace, by API group and resource."""

IN_WORDS: Final = (
    "daskclusters, daskworkergroups with daskworkergroups/scale, and daskautoscalers of "
    f"{GROUP} (get, list, create, patch, delete), and pods, pods/log and services (get, list)"
)


async def operator(config: Config, options: Mapping[str, Any]) -> Sequence[Finding]:
    """What can be said of KubeCluster: its definitions, and the rights of servers' pods."""
    account = str(spawner_option(config, "service_account") or "")
    pods = any(each in config for each in SECTIONS)
    namespace = str(options.get("namespace") or servers_namespace(config))
    if not pods or of_each_user(config):
        return [_needed(namespace)]
    if not account:
        return [
            Finding(
                "error",
                "KubeCluster acts with the rights of the server's pod, and servers have no "
                "service account",
                f"make one that may use {IN_WORDS} in the namespace {namespace}, and name it in "
                "c.KubeSpawner.service_account",
                option="c.KubeSpawner.service_account",
            )
        ]
    return await asked(partial(_asked, namespace, servers_namespace(config), account))


async def _asked(namespace: str, home: str, account: str, api: Any) -> list[Finding]:
    from kubernetes_asyncio import client

    groups = await patiently(client.ApisApi(api).get_api_versions, PATIENCE)
    found = []
    if GROUP not in {each.name for each in groups.groups}:
        fix = "install the chart dask-kubernetes-operator, from https://helm.dask.org"
        found.append(Finding("error", f"this cluster knows nothing of {GROUP}: no operator", fix))
    try:
        missing = await _missing(api, namespace, home, account)
    except client.ApiException as error:
        if error.status != 403:
            raise
        return [*found, _needed(namespace)]  # the hub may not ask for others
    if missing:
        said = f"servers may not {', '.join(missing)} in the namespace {namespace}"
        fix = f"give the service account {account} of {home} a Role with these verbs"
        return [*found, Finding("error", said, fix)]
    return [*found, Finding("ok", f"servers may make clusters of {GROUP} in {namespace}")]


async def _missing(api: Any, namespace: str, home: str, account: str) -> list[str]:
    """What of these a service account may not do."""
    from kubernetes_asyncio import client

    reviews, missing = client.AuthorizationV1Api(api), []
    who = {
        "user": f"system:serviceaccount:{home}:{account}",
        "groups": [
            "system:serviceaccounts",
            f"system:serviceaccounts:{home}",
            "system:authenticated",
        ],
    }
    for (group, resource), verbs in RIGHTS.items():
        kind, _, part = resource.partition("/")
        for verb in verbs:
            about = {"namespace": namespace, "verb": verb, "group": group, "resource": kind}
            about |= {"subresource": part} if part else {}
            body = {"spec": {**who, "resourceAttributes": about}}
            answer = await patiently(partial(reviews.create_subject_access_review, body), PATIENCE)
            if not answer.status.allowed:
                missing.append(f"{verb} {resource}")
    return missing


def _needed(namespace: str) -> Finding:
    return Finding(
        "note",
        "KubeCluster acts with the rights of whoever runs the notebook, and whether they suffice "
        "cannot be asked here",
        f"let servers' service account use {IN_WORDS} in the namespace {namespace}",
    )
