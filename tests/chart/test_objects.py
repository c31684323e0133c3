"""What Helm makes of the chart is valid in each Kubernetes of today, and asks for little."""

from __future__ import annotations

import kubernetes_validate
import pytest

from greyhub.clusters.kubernetes import RIGHTS as OF_CLUSTERS
from greyhub.kubernetes.claims_check import RIGHTS as OF_HOMES
from greyhub.kubernetes.live_check import RIGHTS as OF_SERVERS
from tests.chart.rendering import (
    CHART,
    CONFIG,
    IMAGES,
    SETS,
    Values,
    helm,
    named,
    pods,
    render,
    rendered,
)
from tests.kubernetes.pod_security import refused
from tests.kubernetes.test_manifests import NEWEST

pytestmark = pytest.mark.usefixtures("helm_is_there")

NAMESPACED = {
    *("ConfigMap", "CronJob", "DaemonSet", "Deployment", "Ingress", "Job", "NetworkPolicy", "Pod"),
    *("PersistentVolumeClaim", "PodDisruptionBudget", "Role", "RoleBinding", "Secret", "Service"),
    "ServiceAccount",
}

every_set = pytest.mark.parametrize("name", SETS)


@every_set
def test_every_object_is_valid(name: str) -> None:
    for each in rendered(name):
        for version in NEWEST:
            kubernetes_validate.validate(each, version, strict=True)


@every_set
def test_helm_s_own_check_finds_nothing(name: str) -> None:
    done = helm("lint", CHART, "--strict", "--namespace", "research", values=SETS[name])
    assert done.returncode == 0, done.stdout + done.stderr
    assert "[WARNING]" not in done.stdout


@every_set
def test_every_pod_keeps_the_restricted_standard(name: str) -> None:
    found = list(pods(rendered(name)))
    assert len(found) >= 3
    for pod in found:
        assert refused(pod) == []


@every_set
def test_the_hub_s_pod_alone_has_rights(name: str) -> None:
    for pod in pods(rendered(name)):
        component = pod["metadata"]["labels"]["app.kubernetes.io/component"]
        if component == "hub":
            assert pod["spec"]["serviceAccountName"] == "hub"
        else:
            assert pod["spec"]["automountServiceAccountToken"] is False


@every_set
def test_nothing_is_outside_of_the_namespace(name: str) -> None:
    kinds = {each["kind"] for each in rendered(name)}
    asked = {"PriorityClass"} if "priorityClass" in SETS[name] else set()
    assert kinds - NAMESPACED == asked
    for each in rendered(name):
        assert each["metadata"].get("namespace", "research") == "research"


def test_the_hub_s_rights_are_those_that_its_adapters_ask_for() -> None:
    asked: set[tuple[str, str]] = {("configmaps", "get")}
    for rights in (OF_SERVERS, OF_CLUSTERS, OF_HOMES):
        asked |= {(kind, verb) for kind, verbs in rights.items() for verb in verbs}
    objects = rendered("as it comes")
    rules = named(objects, "Role", "hub")["rules"]
    assert all(rule["apiGroups"] == [""] and "resourceNames" not in rule for rule in rules)
    given = {(kind, verb) for rule in rules for kind in rule["resources"] for verb in rule["verbs"]}
    assert given == asked
    (account,) = named(objects, "RoleBinding", "hub")["subjects"]
    assert account == {"kind": "ServiceAccount", "name": "hub", "namespace": "research"}


AWKWARD = (
    "# -*- coding: utf-8 -*-\r\n{{ .Values.hub }} $(HOME) $HOME \\n 'a' \"b\" \t<&>\n\n"
    "  # 雪 😀\nc.X.y = '''\n---\n- a: b\n'''\n\n"
)


@pytest.mark.parametrize("text", [CONFIG, AWKWARD, "no end of line"])
def test_the_config_file_is_what_was_given(text: str) -> None:
    objects = render({"config": text, **IMAGES})
    assert named(objects, "ConfigMap", "hub-config")["data"] == {"greyhub_config.py": text}


@every_set
def test_secrets_are_in_secrets_alone(name: str) -> None:
    objects = rendered(name)
    found = [each for each in objects if each["kind"] == "Secret"]
    if "existingSecret" in SETS[name].get("proxy", {}):
        assert found == []
        return
    (secret,) = found
    (token,) = secret["data"].values()
    assert len(token) >= 64
    assert token not in str([each for each in objects if each is not secret])
    (other,) = (each for each in render(SETS[name]) if each["kind"] == "Secret")
    assert other["data"] != secret["data"]


def test_containers_are_told_the_token_by_reference() -> None:
    for pod in pods(rendered("as it comes")):
        for container in pod["spec"]["containers"]:
            variables = {each["name"]: each for each in container.get("env", ())}
            if pod["metadata"]["labels"]["app.kubernetes.io/component"] in ("hub", "proxy"):
                token = variables.pop("CONFIGPROXY_AUTH_TOKEN")
                assert token["valueFrom"]["secretKeyRef"] == {"name": "proxy-token", "key": "token"}
            assert set(variables) <= {"HOME", "POD_IP", "GREYHUB_PRESETS"}


@pytest.mark.parametrize(
    "changed",
    [
        {"hub": {"image": "registry.example.org/hub:2"}},
        {"config": CONFIG + "\n# another line\n"},
        {"notebook": {"image": "registry.example.org/notebook:2"}},
        {"secrets": ["other"]},
        {"catalogues": {"sea.yaml": "sources: {}\n"}},
    ],
)
def test_the_proxy_stays_when_the_hub_changes(changed: Values) -> None:
    before, after = rendered("as it comes"), render({**SETS["as it comes"], **changed})
    for kind, name in (("Deployment", "proxy"), ("Service", "proxy-public")):
        assert named(before, kind, name) == named(after, kind, name)
    old, new = (named(each, "Deployment", "hub") for each in (before, after))
    assert old["spec"]["template"] != new["spec"]["template"]
    assert new["spec"]["strategy"] == {"type": "Recreate"}


def test_the_proxy_s_pod_knows_no_version_of_the_chart() -> None:
    for pod in pods(rendered("much of all")):
        assert not {"helm.sh/chart", "app.kubernetes.io/version"} & set(pod["metadata"]["labels"])


def test_the_state_stays_when_the_release_goes() -> None:
    claim = named(rendered("as it comes"), "PersistentVolumeClaim", "hub-state")
    assert claim["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
    kinds = [each["kind"] for each in rendered("much of all")]
    assert "PersistentVolumeClaim" not in kinds


def test_helm_test_asks_for_the_login_page() -> None:
    pod = named(rendered("behind an ingress"), "Pod", "test-login-page")
    assert pod["metadata"]["annotations"]["helm.sh/hook"] == "test"
    (container,) = pod["spec"]["containers"]
    assert container["args"][-2:] == ["proxy-public", "/science/"]
    compile(container["args"][2], "the test", "exec")


def test_images_are_pulled_before_they_are_needed() -> None:
    daemon = named(rendered("behind an ingress"), "DaemonSet", "prepull")
    pulled = [each["image"] for each in daemon["spec"]["template"]["spec"]["initContainers"]]
    assert pulled == ["registry.example.org/notebook:1", "registry.example.org/gpu:1"]
