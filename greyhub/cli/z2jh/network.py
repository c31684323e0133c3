"""How browsers reach the platform, and who reaches whom: proxy, Ingress, NetworkPolicies."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

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
    tables,
    unneeded,
    value,
)
from greyhub.cli.z2jh.secrets import TLS

ALL: Final = ["0.0.0.0/1", "128.0.0.0/1", "::/1", "8000::/1"]
"""Everywhere, as NetworkPolicies may leave it out of everywhere."""

PRIVATE: Final = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"]
METADATA: Final = ["169.254.0.0/16", "fe80::/10"]

_NO_AUTOHTTPS: Final = (
    "TLS ends in an Ingress, or before the Service proxy-public: there is no autohttps. Set "
    "ingress.enabled, ingress.className, and with cert-manager the annotation "
    "cert-manager.io/cluster-issuer"
)
_NO_TRAEFIK: Final = "there is no autohttps, and so no traefik: see proxy.https"
_PEERS: Final = (
    "the chart has policies of its own; allow more by a NetworkPolicy beside them, which adds "
    "to these: docs/reference/chart.md, networkPolicy"
)


def _https(moving: Moving, path: str, value: Any) -> Outcome:
    kind = moving.get("proxy.https.type", "letsencrypt")
    if not value:
        return unneeded("TLS ends before the proxy, or nowhere")
    if kind == "offload":
        return moved("the chart's url: TLS ends in the load balancer before proxy-public")
    if kind == "letsencrypt":
        return left(_NO_AUTOHTTPS)
    return moved("the chart's ingress", "TLS ends in an Ingress, which needs a controller")


def _manual(moving: Moving, path: str, value: Any) -> Outcome:
    if not moving.get("proxy.https.enabled") or moving.get("proxy.https.type") != "manual":
        return unneeded("proxy.https.type is another")
    key = {"key": "tls.key", "cert": "tls.crt"}[path.rpartition(".")[2]]
    moving.secrets.put(TLS, key, str(value), "kubernetes.io/tls")
    return moved(f"the Secret {TLS}, which the chart's ingress.tlsSecret names")


def _secret(moving: Moving, path: str, value: Any) -> Outcome:
    if not moving.get("proxy.https.enabled") or moving.get("proxy.https.type") != "secret":
        return unneeded("proxy.https.type is another")
    plain = {"name": None, "key": "tls.key", "crt": "tls.crt"}[path.rpartition(".")[2]]
    if plain is not None and value != plain:
        return left(f"an Ingress reads the key {plain}: make the Secret anew")
    return moved("the chart's ingress.tlsSecret")


def _hosts(moving: Moving, path: str, value: Any) -> Outcome:
    hosts = value if isinstance(value, list) else [value]
    if len(hosts) > 1:
        return left(f"the platform has one address, here of {hosts[0]}: redirect the others there")
    return moved("the chart's url")


def _tls(moving: Moving, path: str, value: Any) -> Outcome:
    names = [each.get("secretName") for each in value]
    if names[0]:
        moving.chart.setdefault("ingress", {})["tlsSecret"] = names[0]
    if len(names) > 1:
        return left("the platform has one address, and its Ingress one certificate: the first")
    return moved("the chart's ingress.tlsSecret" if names[0] else "the chart's url: https")


def _ingress(moving: Moving, path: str, value: Any) -> Outcome:
    if not value:
        return unneeded("the chart's ingress is off unless it is asked for")
    moving.chart.setdefault("ingress", {})["enabled"] = True
    return moved("the chart's ingress.enabled")


def _of_ingress(to: str) -> Rule:
    def act(moving: Moving, path: str, said: Any) -> Outcome:
        if not moving.get("ingress.enabled"):
            moving.chart.setdefault("ingress", {})
        return value(f"ingress.{to}").act(moving, path, said)

    return Rule(act)


def _service(moving: Moving, path: str, value: Any) -> Outcome:
    plain = moving.get("proxy.https.enabled") and moving.get("proxy.https.type") != "offload"
    if value == "LoadBalancer" and plain:
        return left(
            "the Service would show the platform without TLS: it is a ClusterIP behind an Ingress"
        )
    moving.value(path, "proxy.service.type", value)
    return moved("the chart's proxy.service.type")


def _image(moving: Moving, path: str, value: Any) -> Outcome:
    name, tag = moving.get("proxy.chp.image.name"), moving.get("proxy.chp.image.tag")
    if not name or not tag:
        return unneeded("the chart has configurable-http-proxy in a version of its own")
    moving.value(path, "proxy.image", f"{name}:{tag}")
    return moved("the chart's proxy.image")


def _policy(moving: Moving, path: str, value: Any) -> Outcome:
    if value:
        return unneeded("the chart's NetworkPolicies are on")
    return left(
        "the chart's NetworkPolicies stay on, since one switch is for all of them: allow what is "
        "missed by networkPolicy.egress, or set networkPolicy.enabled to false"
    )


def _egress(moving: Moving, path: str, value: Any) -> Outcome:
    moving.value(path, "networkPolicy.egress", value)
    review = ""
    if "component" in str(value):
        review = "some rules name pods of z2jh's by their labels, which greyhub's do not have"
    return moved("the chart's networkPolicy.egress, for servers and clusters", review)


def _allowed(moving: Moving, path: str, value: Any) -> Outcome:
    name = path.rpartition(".")[2]
    usual = name not in ("privateIPs", "cloudMetadataServer")
    if bool(value) == usual:
        return unneeded("it is so without it")
    if name.startswith("dns"):
        return left("servers ask for names: networkPolicy has no switch for it")
    return moved("the chart's networkPolicy.blocked")


def _finish(moving: Moving) -> None:
    rules = moving.get("singleuser.networkPolicy.egressAllowRules", {})
    blocked = [] if rules.get("privateIPs") else list(PRIVATE)
    blocked += [] if rules.get("cloudMetadataServer") else METADATA
    if rules.get("nonPrivateIPs") is False:
        blocked = [*ALL, *blocked]
    if blocked != [*PRIVATE, *METADATA]:
        moving.value("", "networkPolicy.blocked", blocked)
    host, tls = address(moving)
    if moving.get("proxy.https.enabled") and moving.get("proxy.https.type") in ("manual", "secret"):
        ingress = moving.chart.setdefault("ingress", {})
        ingress["enabled"] = True
        ingress.setdefault("tlsSecret", moving.get("proxy.https.secret.name") or TLS)
    base = str(moving.get("hub.baseUrl", "/")).strip("/")
    if host:
        path = f"/{base}/" if base else "/"
        moving.chart["url"] = f"{'https' if tls else 'http'}://{host}{path}"


def address(moving: Moving) -> tuple[str, bool]:
    """The host by which browsers reach the platform, as far as the values say, and whether by TLS.

    An Ingress names it, the certificate, or else the address to which logins come back.
    """
    tls = bool(moving.get("proxy.https.enabled"))
    if moving.get("ingress.enabled"):
        tls = tls or bool(moving.get("ingress.tls"))
        if hosts := moving.get("ingress.hosts"):
            return str(hosts[0]), tls
    hosts = moving.get("proxy.https.hosts")
    if hosts and tls:
        return str(hosts if isinstance(hosts, str) else hosts[0]), True
    for section in moving.get("hub.config", {}).values():
        back = section.get("oauth_callback_url") if isinstance(section, dict) else None
        if isinstance(back, str) and urlsplit(back).hostname:
            return str(urlsplit(back).netloc), urlsplit(back).scheme == "https"
    return "", tls


_RULES: Final = (
    "cloudMetadataServer dnsPortsCloudMetadataServer dnsPortsKubeSystemNamespace "
    "dnsPortsPrivateIPs nonPrivateIPs privateIPs"
)

GROUP: Final = Group(
    "The network",
    {
        "hub.baseUrl": joined("the path of the chart's url", str),
        "proxy.secretToken": not_needed("the chart makes the proxy's token"),
        "proxy.service.type": Rule(_service),
        "proxy.service.annotations": value("proxy.service.annotations"),
        **tables(
            "proxy.service",
            "labels nodePorts disableHttpPort extraPorts externalIPs loadBalancerIP "
            "loadBalancerSourceRanges ipFamilyPolicy ipFamilies",
            not_taken(
                "the chart's Service proxy-public has none: make one of your own beside it, or an "
                "Ingress; networkPolicy.publicFrom says who reaches the proxy"
            ),
        ),
        "proxy.chp.resources": value("proxy.resources"),
        "proxy.chp.nodeSelector": value("proxy.nodeSelector"),
        "proxy.chp.tolerations": joined("the chart's proxy.tolerations", list),
        "proxy.chp.image.pullPolicy": value("proxy.imagePullPolicy"),
        "proxy.chp.image.pullSecrets": not_taken("put them into the chart's imagePullSecrets"),
        **tables("proxy.chp.image", "name tag", Rule(_image)),
        "proxy.chp.pdb": not_needed("hub.pdb.enabled is for the proxy, too"),
        **tables(
            "proxy.chp",
            "command extraCommandLineFlags defaultTarget errorTarget extraEnv extraPodSpec "
            "containerSecurityContext",
            not_taken("greyhub's chart makes the proxy's pod itself"),
        ),
        **tables(
            "proxy.chp", "livenessProbe readinessProbe", not_needed("the chart has its own probes")
        ),
        "proxy.chp.revisionHistoryLimit": not_needed("it is as Kubernetes has it"),
        "proxy.deploymentStrategy": not_needed("there is one proxy, which is made anew"),
        **tables("proxy", "labels annotations", not_taken("helm's post-renderer sets such things")),
        "proxy.traefik": not_needed(_NO_TRAEFIK),
        "proxy.secretSync": not_needed(_NO_TRAEFIK),
        "proxy.nginx": not_needed("z2jh has none any more"),
        "proxy.https.enabled": Rule(_https),
        "proxy.https.type": not_needed("see proxy.https.enabled"),
        "proxy.https.hosts": Rule(_hosts),
        "proxy.https.letsencrypt": not_needed("see proxy.https.enabled"),
        **tables("proxy.https.manual", "key cert", Rule(_manual)),
        **tables("proxy.https.secret", "name key crt", Rule(_secret)),
        "ingress.enabled": Rule(_ingress),
        "ingress.annotations": _of_ingress("annotations"),
        "ingress.ingressClassName": _of_ingress("className"),
        "ingress.hosts": Rule(_hosts),
        "ingress.tls": Rule(_tls),
        **tables(
            "ingress", "pathSuffix extraPaths", not_taken("make an Ingress of your own beside it")
        ),
        "ingress.pathType": not_taken("paths of the chart's Ingress are prefixes", but="Prefix"),
        "httpRoute": not_taken(
            "make an HTTPRoute of your own, to the Service proxy-public at port 80"
        ),
        "singleuser.networkPolicy.enabled": Rule(_policy),
        "singleuser.networkPolicy.egress": Rule(_egress),
        **tables("singleuser.networkPolicy.egressAllowRules", _RULES, Rule(_allowed)),
        **tables("singleuser.networkPolicy", "ingress allowedIngressPorts", not_taken(_PEERS)),
        "singleuser.networkPolicy.interNamespaceAccessLabels": not_taken(_PEERS, but="ignore"),
        **{
            f"{pod}.networkPolicy.{key}": rule
            for pod in ("hub", "proxy.chp")
            for key, rule in {
                "enabled": Rule(_policy),
                "interNamespaceAccessLabels": not_taken(_PEERS, but="ignore"),
                "allowedIngressPorts": not_taken(_PEERS, but=["http", "https"]),
                "ingress": not_taken(_PEERS),
                "egress": not_needed("what the hub and the proxy reach is not restricted"),
                "egressAllowRules": not_needed("what they reach is not restricted"),
            }.items()
        },
    },
    chart=True,
    finish=_finish,
)
