"""What the restricted Pod Security Standard refuses of a pod.

The controls and fields are those of
https://kubernetes.io/docs/concepts/security/pod-security-standards/, Baseline and Restricted.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

VOLUMES = {
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image", "persistentVolumeClaim",
    "projected", "secret",
}  # fmt: skip

SELINUX = {"", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"}

SYSCTLS = {
    "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.tcp_syncookies",
    "net.ipv4.ping_group_range", "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ip_local_reserved_ports", "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem",
}  # fmt: skip


def refused(pod: dict[str, Any]) -> list[str]:
    """The fields of a pod that are refused."""
    return [*_of_the_pod(pod), *_of_its_containers(pod["spec"])]


def _of_the_pod(pod: dict[str, Any]) -> Iterator[str]:
    spec = pod["spec"]
    security = spec.get("securityContext") or {}
    yield from (name for name in ("hostNetwork", "hostPID", "hostIPC") if spec.get(name))
    for volume in spec.get("volumes") or ():
        yield from (f"volume {kind}" for kind in volume if kind not in {"name", *VOLUMES})
    for sysctl in security.get("sysctls") or ():
        if sysctl["name"] not in SYSCTLS:
            yield f"sysctl {sysctl['name']}"
    for name, value in (pod["metadata"].get("annotations") or {}).items():
        if name.startswith("container.apparmor.security.beta.kubernetes.io/") and not (
            value in ("", "runtime/default") or value.startswith("localhost/")
        ):
            yield name
    yield from _of_a_context(security)


def _of_its_containers(spec: dict[str, Any]) -> Iterator[str]:
    above = spec.get("securityContext") or {}
    kinds = ("containers", "initContainers", "ephemeralContainers")
    for container in (each for kind in kinds for each in spec.get(kind) or ()):
        security = container.get("securityContext") or {}
        capabilities = security.get("capabilities") or {}
        found = [
            *_of_a_context(security),
            *("hostPort" for port in container.get("ports") or () if port.get("hostPort")),
            *_hosts(container),
            *(
                f"capability {name}"
                for name in capabilities.get("add") or ()
                if name != "NET_BIND_SERVICE"
            ),
        ]
        if "ALL" not in (capabilities.get("drop") or ()):
            found.append("capabilities are not dropped")
        if security.get("allowPrivilegeEscalation") is not False:
            found.append("allowPrivilegeEscalation")
        if not security.get("runAsNonRoot", above.get("runAsNonRoot")):
            found.append("runAsNonRoot")
        profile = security.get("seccompProfile") or above.get("seccompProfile") or {}
        if profile.get("type") not in ("RuntimeDefault", "Localhost"):
            found.append("seccompProfile")
        yield from (f"{container['name']}: {what}" for what in found)


def _of_a_context(security: dict[str, Any]) -> Iterator[str]:
    """What is refused of a pod's security context, and of a container's."""
    if security.get("privileged"):
        yield "privileged"
    if security.get("runAsUser") == 0:
        yield "runAsUser"
    if (security.get("windowsOptions") or {}).get("hostProcess"):
        yield "hostProcess"
    if security.get("procMount") not in (None, "Default"):
        yield "procMount"
    armor = (security.get("appArmorProfile") or {}).get("type")
    if armor not in (None, "RuntimeDefault", "Localhost"):
        yield "appArmorProfile"
    linux = security.get("seLinuxOptions") or {}
    if linux.get("type", "") not in SELINUX or linux.get("user") or linux.get("role"):
        yield "seLinuxOptions"


def _hosts(container: dict[str, Any]) -> Iterator[str]:
    """Probes and hooks that ask another host than the pod."""
    hooks = container.get("lifecycle") or {}
    probes = ("livenessProbe", "readinessProbe", "startupProbe")
    handlers = {each: container.get(each) for each in probes} | hooks
    for name, handler in handlers.items():
        for way in ("httpGet", "tcpSocket"):
            if ((handler or {}).get(way) or {}).get("host"):
                yield f"{name}.{way}.host"
