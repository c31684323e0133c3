"""Users' servers: ``singleuser``, without their homes, their profiles and the network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from greyhub.cli.z2jh.moving import (
    Group,
    Moving,
    Outcome,
    Rule,
    joined,
    left,
    moved,
    not_needed,
    not_taken,
    option,
    tables,
    unneeded,
)
from greyhub.cli.z2jh.secrets import NAME, PULLING
from greyhub.cli.z2jh.text import variable
from greyhub.secret_texts import holds_secret

IN_IMAGE: Final = (
    "images of servers need greyhub in them: pip install 'greyhub[notebook]', and the program "
    "greyhub-singleuser on their PATH"
)

POD: Final = {"restartPolicy": "Never", "enableServiceLinks": False}
"""What greyhub says of pods, which z2jh's extraPodConfig would replace."""


def _limit(name: str) -> Rule:
    """Without a limit greyhub's pods would have their own."""
    return option(f"KubeSpawner.{name}", empty=True, none=0)


def _image(moving: Moving, path: str, value: Any) -> Outcome:
    tag = moving.get("singleuser.image.tag", "")
    moving.value(path, "notebook.image", f"{value}:{tag}" if tag else value)
    return moved("the chart's notebook.image", IN_IMAGE)


def _tag(moving: Moving, path: str, value: Any) -> Outcome:
    if moving.get("singleuser.image.name"):
        return moved("the chart's notebook.image")
    return left("it is the tag of z2jh's own image, which greyhub has no use for")


def _command(moving: Moving, path: str, value: Any) -> Outcome:
    words = value if isinstance(value, list) else [value]
    if words in (["jupyterhub-singleuser"], [None], ["start-singleuser.sh"]):
        return unneeded("servers are started by greyhub-singleuser")
    if words[0] in ("jupyterhub-singleuser", "start-singleuser.sh"):
        moving.option(path, "Spawner.args", [str(each) for each in words[1:]])
        return moved("c.Spawner.args", "greyhub-singleuser is started, with these arguments")
    return left(
        "servers are started by greyhub-singleuser: let the image's entrypoint do what this "
        "command did, or set c.Spawner.cmd to a script that ends with exec greyhub-singleuser"
    )


def _environment(moving: Moving, path: str, value: Any) -> Outcome:
    found: dict[str, Any] = {}
    secret = False
    entries = {each["name"]: each for each in value} if isinstance(value, list) else value
    for name, each in entries.items():
        if holds_secret(name, variable(each)):
            secret = True
            key = moving.secrets.keep(f"{path}.{name}", variable(each), f"SINGLEUSER_{name}")
            reference = {"secretKeyRef": {"name": NAME, "key": key}}
            each = {"name": name, "valueFrom": reference}
        elif isinstance(each, Mapping):
            each = {"name": name, **each}
        else:
            each = variable(each)
        found[name] = each
    moving.assign(path, "c.KubeSpawner.environment", found)
    review = ["every user can read a secret in it"] if secret else []
    if dask := [name for name in found if name.startswith("DASK_")]:
        review.append(f"greyhub's clusters set such variables themselves: {', '.join(dask)}")
    return moved("c.KubeSpawner.environment", "; ".join(review))


def _containers(name: str) -> Rule:
    def act(moving: Moving, path: str, value: Any) -> Outcome:
        moving.option(path, f"KubeSpawner.{name}", [rootly(each) for each in value])
        root = any(_is_root(each.get("securityContext")) for each in value)
        return moved(
            f"c.KubeSpawner.{name}",
            "it runs as root, which the restricted Pod Security Standard refuses" if root else "",
        )

    return Rule(act)


def _is_root(security: Any) -> bool:
    return isinstance(security, Mapping) and (
        security.get("runAsUser") == 0 or bool(security.get("privileged"))
    )


def rootly(container: Mapping[str, Any]) -> dict[str, Any]:
    """A container that says that it is root's: greyhub's pods are not, unless one says so."""
    security = container.get("securityContext")
    if not isinstance(security, Mapping) or security.get("runAsUser") != 0:
        return dict(container)
    return {**container, "securityContext": {"runAsNonRoot": False, **security}}


def _uid(moving: Moving, path: str, value: Any) -> Outcome:
    moving.option(path, "KubeSpawner.uid", value)
    if value:
        return moved("c.KubeSpawner.uid")
    # greyhub's pods are not root's, and the kubelet would refuse one that is.
    moving.write("c.KubeSpawner.pod_security_context = {}")
    if value is None:
        return moved("c.KubeSpawner.uid", "whether servers are root's, the image alone says")
    moving.write("c.KubeSpawner.container_security_context = {}")
    return moved("c.KubeSpawner.uid", "servers begin as root")


def _escalation(moving: Moving, path: str, value: Any) -> Outcome:
    if value is False:
        return unneeded("servers may not become root")
    moving.option(path, "KubeSpawner.allow_privilege_escalation", value)
    if not moving.given("singleuser.uid") or moving.get("singleuser.uid", 1000):
        moving.write("c.KubeSpawner.container_security_context = {}")
    return moved("c.KubeSpawner.allow_privilege_escalation", "servers may become root")


def _account(moving: Moving, path: str, value: Any) -> Outcome:
    moving.option(path, "KubeSpawner.service_account", value)
    moving.write("# Only with this, its token of the API server is in the pods:")
    moving.write("# c.KubeSpawner.automount_service_account_token = True")
    return moved(
        "c.KubeSpawner.service_account",
        "pods have the account and not its token of the API server, unless "
        "c.KubeSpawner.automount_service_account_token = True",
    )


def _labels(moving: Moving, path: str, value: Any) -> Outcome:
    of_z2jh = "hub.jupyter.org/network-access-hub"
    rest = {key: each for key, each in value.items() if key != of_z2jh}
    if not rest:
        return unneeded("the chart's NetworkPolicies go by other labels")
    moving.option(path, "KubeSpawner.extra_labels", rest)
    return moved("c.KubeSpawner.extra_labels")


def _pod(moving: Moving, path: str, value: Any) -> Outcome:
    moving.option(path, "KubeSpawner.extra_pod_config", POD | value)
    return moved("c.KubeSpawner.extra_pod_config")


def _finish(moving: Moving) -> None:
    """What several values are joined in."""
    names = [*moving.get("imagePullSecrets", []), *moving.get("singleuser.image.pullSecrets", [])]
    if moving.get("imagePullSecret.create"):
        names.insert(0, PULLING)
    if names:
        plain = [each["name"] if isinstance(each, Mapping) else each for each in names]
        moving.option("imagePullSecrets", "KubeSpawner.image_pull_secrets", plain)
    place = "scheduling.userPods.tolerations"
    tolerated = [*moving.get(place, []), *moving.get("singleuser.extraTolerations", [])]
    if tolerated:
        moving.option(f"{place}, singleuser.extraTolerations", "KubeSpawner.tolerations", tolerated)


_METADATA: Final = "NetworkPolicies keep servers from it: the chart's networkPolicy.blocked"

GROUP: Final = Group(
    "Servers",
    {
        "singleuser.image.name": Rule(_image),
        "singleuser.image.tag": Rule(_tag),
        "singleuser.image.pullPolicy": option("KubeSpawner.image_pull_policy"),
        "singleuser.image.pullSecrets": joined("c.KubeSpawner.image_pull_secrets", list),
        "singleuser.cmd": Rule(_command, empty=True),
        "singleuser.defaultUrl": option("Spawner.default_url"),
        "singleuser.startTimeout": option("KubeSpawner.start_timeout"),
        "singleuser.cpu.limit": _limit("cpu_limit"),
        "singleuser.cpu.guarantee": _limit("cpu_guarantee"),
        "singleuser.memory.limit": _limit("mem_limit"),
        "singleuser.memory.guarantee": _limit("mem_guarantee"),
        "singleuser.extraResource.limits": option("KubeSpawner.extra_resource_limits"),
        "singleuser.extraResource.guarantees": option("KubeSpawner.extra_resource_guarantees"),
        "singleuser.extraEnv": Rule(_environment),
        "singleuser.uid": Rule(_uid, empty=True),
        "singleuser.fsGid": option("KubeSpawner.fs_gid", empty=True),
        "singleuser.allowPrivilegeEscalation": Rule(_escalation, empty=True),
        "singleuser.serviceAccountName": Rule(_account),
        "singleuser.podNameTemplate": option("KubeSpawner.pod_name_template"),
        "singleuser.events": option("KubeSpawner.events_enabled"),
        "singleuser.extraLabels": Rule(_labels),
        "singleuser.extraAnnotations": option("KubeSpawner.extra_annotations"),
        "singleuser.lifecycleHooks": option("KubeSpawner.lifecycle_hooks"),
        "singleuser.initContainers": _containers("init_containers"),
        "singleuser.extraContainers": _containers("extra_containers"),
        "singleuser.extraPodConfig": Rule(_pod),
        "singleuser.nodeSelector": option("KubeSpawner.node_selector"),
        "singleuser.extraTolerations": joined("c.KubeSpawner.tolerations", list),
        "singleuser.extraNodeAffinity.required": option("KubeSpawner.node_affinity_required"),
        "singleuser.extraNodeAffinity.preferred": option("KubeSpawner.node_affinity_preferred"),
        "singleuser.extraPodAffinity.required": option("KubeSpawner.pod_affinity_required"),
        "singleuser.extraPodAffinity.preferred": option("KubeSpawner.pod_affinity_preferred"),
        "singleuser.extraPodAntiAffinity.required": option(
            "KubeSpawner.pod_anti_affinity_required"
        ),
        "singleuser.extraPodAntiAffinity.preferred": option(
            "KubeSpawner.pod_anti_affinity_preferred"
        ),
        "singleuser.networkTools": not_needed("no init container with iptables is made"),
        "singleuser.cloudMetadata.blockWithIptables": not_needed(_METADATA),
        "singleuser.cloudMetadata.ip": not_taken(
            "add it, with /32, to the chart's networkPolicy.blocked", but="169.254.169.254"
        ),
        "imagePullSecrets": joined(
            "c.KubeSpawner.image_pull_secrets, the chart's imagePullSecrets", list
        ),
        **tables(
            "singleuser.cloudMetadata",
            "enabled",
            not_taken(f"z2jh has blockWithIptables in its place, and here {_METADATA}"),
        ),
    },
    finish=_finish,
)
