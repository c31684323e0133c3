"""The hub's pod, its database and its options: ``hub``, without config, services and code."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from greyhub.cli.z2jh.moving import (
    Group,
    Moving,
    Outcome,
    Rule,
    joined,
    kept_file,
    left,
    moved,
    not_needed,
    not_taken,
    option,
    tables,
    unneeded,
    value,
)
from greyhub.cli.z2jh.secrets import NAME, Secrets, has_reference
from greyhub.cli.z2jh.servers import rootly
from greyhub.cli.z2jh.text import variable
from greyhub.secret_texts import holds_secret

FILES: Final = "from-z2jh-hub-files"
"""The Secret with the contents of hub.extraFiles."""

_POD: Final = "greyhub's chart makes the hub's pod itself: if you need it, by a post-renderer"
_PROBE: Final = "the chart has probes of its own"
_LABELS: Final = "helm's post-renderer, or kubectl label and annotate, set such things"


def _database(moving: Moving, path: str, value: Any) -> Outcome:
    if value == "sqlite-pvc":
        moving.option(path, "JupyterHub.upgrade_db", True, note="z2jh upgrades it by itself")
        return moved(
            "a file on the claim hub-state",
            "it is a new one: to keep users, their tokens and groups, copy jupyterhub.sqlite of "
            "z2jh's claim hub-db-dir to it before the first start",
        )
    if value == "sqlite-memory":
        return unneeded("the state is on the claim hub-state")
    review = "the image of the hub has no driver for MySQL: add one to images/hub"
    return moved("c.JupyterHub.db_url", review if value == "mysql" else "")


def _url(moving: Moving, path: str, value: Any) -> Outcome:
    if str(moving.get("hub.db.type")).startswith("sqlite"):
        return unneeded("z2jh does not read it with this hub.db.type")
    # The hub's image has psycopg2: "postgresql://" means another driver from SQLAlchemy 2.1 on.
    url = re.sub(r"^postgres(ql)?(\+psycopg2)?://", "postgresql+psycopg2://", str(value))
    moving.option(path, "JupyterHub.db_url", url)
    return moved("c.JupyterHub.db_url")


def _password(moving: Moving, path: str, value: Any) -> Outcome:
    names = {"mysql": "MYSQL_PWD", "postgres": "PGPASSWORD"}
    name = names.get(str(moving.get("hub.db.type")))
    if name is None:
        return unneeded("z2jh does not read it with this hub.db.type")
    moving.secrets.keep(path, str(value), name)
    return moved(f"the hub's variable {name}")


def _cookie(moving: Moving, path: str, value: Any) -> Outcome:
    moving.secrets.keep(path, str(value), "JPY_COOKIE_SECRET")
    return moved("the hub's variable JPY_COOKIE_SECRET: logins go on")


def _variables(moving: Moving, path: str, value: Any) -> Outcome:
    entries = {each["name"]: each for each in value} if isinstance(value, list) else value
    by_chart: list[dict[str, Any]] = []
    for name, each in entries.items():
        if isinstance(each, Mapping) and "valueFrom" in each:
            by_chart.append({"name": name, "valueFrom": each["valueFrom"]})
            continue
        text = variable(each)
        if holds_secret(name, text):
            moving.secrets.keep(f"{path}.{name}", text, name)
        else:
            by_chart.append({"name": name, "value": text})
    moving.variables.extend(by_chart)
    gone = [each["name"] for each in by_chart if _of_z2jh(each.get("valueFrom", {}))]
    return moved(
        f"the chart's hub.env, and what is secret the Secret {NAME}",
        f"{', '.join(gone)}: z2jh's own Secret or ConfigMap goes with its release" if gone else "",
    )


def _of_z2jh(source: Mapping[str, Any]) -> bool:
    """Whether a variable comes from what z2jh's chart makes."""
    return any(
        isinstance(each, Mapping) and each.get("name") in ("hub", "singleuser")
        for each in source.values()
    )


def _volumes(moving: Moving, path: str, value: Any) -> Outcome:
    moving.volumes.extend(value.values() if isinstance(value, Mapping) else value)
    return moved("the chart's hub.volumes")


def _mounts(moving: Moving, path: str, value: Any) -> Outcome:
    moving.mounts.extend(value.values() if isinstance(value, Mapping) else value)
    return moved("the chart's hub.volumeMounts")


def _containers(to: str) -> Rule:
    def act(moving: Moving, path: str, value: Any) -> Outcome:
        containers = [rootly(each) for each in value]
        if has_reference(Secrets().without(path, containers)):
            return left(f"it holds a secret, which a value of the chart would show: hub.{to}")
        moving.value(path, f"hub.{to}", containers)
        root = containers != value
        return moved(
            f"the chart's hub.{to}",
            "it runs as root, which the restricted Pod Security Standard refuses" if root else "",
        )

    return Rule(act)


def _image(moving: Moving, path: str, value: Any) -> Outcome:
    return left(
        "the hub's image is built from images/hub: begin yours with it, and add the packages that "
        "this one has"
    )


def _limit(name: str) -> Rule:
    return option(f"JupyterHub.{name}")


def _named_servers(moving: Moving, path: str, value: Any) -> Outcome:
    moving.option(path, "JupyterHub.allow_named_servers", value)
    own = moving.get("singleuser.storage.type") == "dynamic" and "server" in str(
        moving.get("singleuser.storage.dynamic.pvcNameTemplate")
    )
    return moved(
        "c.JupyterHub.allow_named_servers",
        "z2jh gives named servers claims of their own, and here all servers of a user have the "
        "home of the default one: copy from those claims what is needed"
        if value and own
        else "",
    )


def finish(moving: Moving) -> None:
    """The lists of the hub's pod, to which other groups have added."""
    if moving.variables:
        moving.value("hub.extraEnv", "hub.env", moving.variables)
    if files := moving.files.get(FILES):
        moving.volumes.append(moving.volume_of(FILES))
        moving.mounts.extend(
            {"name": "files", "mountPath": each["mountPath"], "subPath": key, "readOnly": True}
            for key, each in files.items()
        )
    if moving.volumes:
        moving.value("hub.extraVolumes", "hub.volumes", moving.volumes)
    if moving.mounts:
        moving.value("hub.extraVolumeMounts", "hub.volumeMounts", moving.mounts)
    tolerated = [*moving.get("scheduling.corePods.tolerations", [])]
    for path, to in (("hub.tolerations", "hub"), ("proxy.chp.tolerations", "proxy")):
        both = [*tolerated, *moving.get(path, [])]
        if both:
            moving.value(path, f"{to}.tolerations", both)


GROUP: Final = Group(
    "The hub",
    {
        "hub.concurrentSpawnLimit": _limit("concurrent_spawn_limit"),
        "hub.activeServerLimit": _limit("active_server_limit"),
        "hub.allowNamedServers": Rule(_named_servers),
        "hub.namedServerLimitPerUser": _limit("named_server_limit_per_user"),
        "hub.authenticatePrometheus": _limit("authenticate_prometheus"),
        "hub.redirectToServer": _limit("redirect_to_server"),
        "hub.shutdownOnLogout": _limit("shutdown_on_logout"),
        "hub.templatePaths": _limit("template_paths"),
        "hub.templateVars": _limit("template_vars"),
        "hub.consecutiveFailureLimit": option("Spawner.consecutive_failure_limit"),
        "hub.db.type": Rule(_database),
        "hub.db.url": Rule(_url),
        "hub.db.password": Rule(_password),
        "hub.db.upgrade": option("JupyterHub.upgrade_db"),
        "hub.db.pvc.storage": value("hub.state.size"),
        "hub.db.pvc.storageClassName": value("hub.state.storageClass"),
        **tables(
            "hub.db.pvc",
            "annotations selector accessModes subPath",
            not_taken(
                "make a claim as you need it, and name it in hub.state.existingClaim",
                but=["ReadWriteOnce"],
            ),
        ),
        "hub.cookieSecret": Rule(_cookie),
        "hub.resources": value("hub.resources"),
        "hub.nodeSelector": value("hub.nodeSelector"),
        "hub.tolerations": joined("the chart's hub.tolerations", list),
        "hub.pdb.enabled": value("podDisruptionBudgets.enabled"),
        **tables("hub.pdb", "maxUnavailable minAvailable", not_needed("there is one hub")),
        "hub.initContainers": _containers("initContainers"),
        "hub.extraContainers": _containers("extraContainers"),
        "hub.extraEnv": Rule(_variables),
        "hub.extraFiles.*": kept_file(FILES, "the chart's hub.volumes names"),
        "hub.extraVolumes": Rule(_volumes),
        "hub.extraVolumeMounts": Rule(_mounts),
        "hub.image.pullSecrets": joined("the chart's imagePullSecrets", list),
        "hub.image.pullPolicy": value("hub.imagePullPolicy"),
        **tables("hub.image", "name tag", Rule(_image)),
        **tables(
            "hub",
            "extraPodSpec lifecycle command args podSecurityContext containerSecurityContext fsGid",
            not_taken(_POD),
        ),
        **tables("hub", "labels annotations", not_taken(_LABELS)),
        **tables("hub", "livenessProbe readinessProbe", not_needed(_PROBE)),
        "hub.deploymentStrategy": not_needed("there is one hub, which is made anew"),
        "hub.revisionHistoryLimit": not_needed("it is as Kubernetes has it"),
        "hub.service": not_taken(
            "the chart's Service hub is a ClusterIP without annotations: kubectl annotate sets them"
        ),
        "hub.serviceAccount.create": not_taken(
            "the chart makes the account hub, with a Role of its own", but=True
        ),
        **tables(
            "hub.serviceAccount",
            "name annotations",
            not_taken("the account is hub: kubectl annotate serviceaccount hub"),
        ),
        "hub.existingSecret": not_taken(
            "put its keys under names of variables into a Secret, and that into the chart's "
            "secrets; c.JupyterHub's options name them by greyhub.secret(env=…)"
        ),
        **tables(
            "rbac",
            "create enabled",
            not_taken("the hub needs the Role that the chart makes", but=True),
        ),
    },
    chart=True,
)
