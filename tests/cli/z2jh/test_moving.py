"""What becomes of single values, and of what cannot be read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from greyhub.kubernetes.names import filled_in
from tests.cli.z2jh.moves import moving, outcome, run, text

MAIL = "ada@example.org"


def test_later_files_stand_above_earlier_ones_as_for_helm(tmp_path: Path) -> None:
    made = moving(
        tmp_path,
        {"singleuser": {"memory": {"limit": "1G", "guarantee": "1G"}, "extraTolerations": [{}]}},
        {"jupyterhub": {"singleuser": {"memory": {"limit": None}, "extraTolerations": []}}},
        {"basehub": {"jupyterhub": {"singleuser": {"startTimeout": 9}}}},
    )
    said = text(made)
    assert "c.KubeSpawner.mem_limit = 0" in said
    assert 'c.KubeSpawner.mem_guarantee = "1G"' in said
    assert "c.KubeSpawner.start_timeout = 9" in said
    assert made.get("singleuser.extraTolerations") == []


@pytest.mark.parametrize(
    ("storage", "version", "template", "scheme", "name"),
    [
        ({}, "", "claim_name", "safe", "claim-ada-example-org---"),
        ({}, "3.3.8", "claim_name", "escape", "claim-ada-40example-2eorg"),
        ({"dynamic": {"pvcNameTemplate": None}}, "", "claim_name", "safe", "claim-ada-example-o"),
        (
            {"type": "static", "static": {"pvcName": "nfs", "subPath": "home/{username}/"}},
            "2.0.0",
            "directory",
            "escape",
            "home/ada-40example-2eorg",
        ),
        (
            {"type": "static", "static": {"pvcName": "nfs", "subPath": "{escaped_username}"}},
            "",
            "directory",
            "safe",
            "ada-40example-2eorg",
        ),
    ],
)
def test_homes_keep_their_names(
    tmp_path: Path, storage: Any, version: str, template: str, scheme: str, name: str
) -> None:
    said = text(moving(tmp_path, {"singleuser": {"storage": storage}}, version=version))
    (line,) = (each for each in said.splitlines() if f"c.KubernetesHomespace.{template}" in each)
    found = filled_in(line.split('"')[1], MAIL, scheme)
    assert found[0].startswith(name)
    assert ('slug_scheme = "escape"' in said) == (scheme == "escape")


def test_without_homes_there_are_volumes_alone(tmp_path: Path) -> None:
    mounts = [{"name": "all", "mountPath": "/home/jovyan"}]
    volumes = [{"name": "all", "persistentVolumeClaim": {"claimName": "all"}}]
    storage = {"type": "none", "extraVolumes": volumes, "extraVolumeMounts": mounts}
    said = text(moving(tmp_path, {"singleuser": {"storage": storage}}))
    assert "c.GreyHub.homespace = None" in said
    assert "c.KubernetesHomespace" not in said
    assert '"0-all": {"name": "all", "mountPath": "/home/jovyan"}' in said


@pytest.mark.parametrize(
    ("values", "url"),
    [
        ({"ingress": {"enabled": True, "hosts": ["a.example.org"]}}, "http://a.example.org/"),
        (
            {"proxy": {"https": {"enabled": True, "type": "offload", "hosts": ["b.example.org"]}}},
            "https://b.example.org/",
        ),
        (
            {
                "hub": {
                    "baseUrl": "/deep",
                    "config": {"X": {"oauth_callback_url": "https://c.example.org/deep/hub/x"}},
                }
            },
            "https://c.example.org/deep/",
        ),
    ],
)
def test_the_address_is_that_of_browsers(tmp_path: Path, values: Any, url: str) -> None:
    made = moving(tmp_path, values)
    assert made.chart["url"] == url
    assert f'c.JupyterHub.public_url = "{url}"' in text(made)
    assert ("c.JupyterHub.base_url" in text(made)) == url.endswith("/deep/")


def test_without_an_authenticator_nobody_is_let_in(tmp_path: Path) -> None:
    made = moving(tmp_path, {"hub": {"db": {"type": "sqlite-pvc"}}})
    assert "\nc.GreyHub.auth" not in text(made)
    made = moving(tmp_path, {"hub": {"config": {"JupyterHub": {"authenticator_class": "dummy"}}}})
    assert '\nc.GreyHub.auth = "dummy"' in text(made)


@pytest.mark.parametrize(
    ("more", "risk"),
    [
        ({"DummyAuthenticator": {"password": "rain"}}, "shared-password"),
        ({"Authenticator": {"allow_all": True}}, "everybody"),
        ({"Authenticator": {"allowed_users": ["ada"]}}, ""),
    ],
)
def test_what_a_hub_with_the_dummy_does_not_start_without_is_said(
    tmp_path: Path, more: dict[str, Any], risk: str
) -> None:
    config = {"JupyterHub": {"authenticator_class": "dummy"}, **more}
    made = moving(tmp_path, {"hub": {"config": config}})
    [said] = (each.review for each in made.outcomes if each.path.endswith("authenticator_class"))
    assert "may log in as anybody" in said
    assert ("accepted_risks" in said) == bool(risk)
    assert (f'# c.GreyHub.accepted_risks = ["{risk}"]' in text(made)) == bool(risk)


def test_code_runs_in_its_order_and_asks_for_values(tmp_path: Path) -> None:
    code = {
        "2-second": 'c.said.append(get_config("custom.two"))',
        "1-first": 'import z2jh\nc.said.append(z2jh.get_config("custom.one.deep", 7))',
        "3-third": 'c.said.append(get_config("custom.none", "no"))',
    }
    custom = {"one": {"deep": 1}, "two": [2]}
    made = moving(tmp_path, {"hub": {"extraConfig": code}, "custom": custom})
    said = text(made)
    body = said[said.index("Z2JH = ") : said.index("# The last line")]

    class Config:
        said: list[Any] = []

    exec(f"import sys, types\n{body}", {"c": Config})
    assert Config.said == [1, [2], "no"]


@pytest.mark.parametrize(
    ("code", "word"),
    [
        ("c.JupyterHub.spawner_class = 'x'", "c.GreyHub.spawner"),
        ("c.Spawner.cmd = ['x']", "greyhub-singleuser"),
        ("import no_such_module", "no_such_module"),
        ("x = os.environ['PLACE']", "variable PLACE"),
        ("get_config(name)", "not known for what"),
        ("z2jh.get_name('hub')", "z2jh's chart"),
    ],
)
def test_code_that_touches_what_greyhub_sets_is_marked(
    tmp_path: Path, code: str, word: str
) -> None:
    said = text(moving(tmp_path, {"hub": {"extraConfig": {"a": code}}}))
    (line,) = (each for each in said.splitlines() if each.startswith("# review: ") and word in each)
    assert said.index(line) < said.index(code)


def test_code_that_is_none_or_tells_a_secret_is_not_written(tmp_path: Path) -> None:
    blocks = {"a": "print 'x'", "b": "# password = hunter2hunter\nx = 1", "c": "fine = 1"}
    made = moving(tmp_path, {"hub": {"extraConfig": blocks}})
    assert outcome(made, "hub.extraConfig.a")[0] == "left"
    assert outcome(made, "hub.extraConfig.b")[0] == "left"
    assert "hunter2" not in text(made)
    assert "fine = 1" in text(made)


@pytest.mark.parametrize(
    ("rules", "blocked", "open_"),
    [
        ({"privateIPs": True}, "169.254.0.0/16", "10.0.0.0/8"),
        ({"cloudMetadataServer": True}, "10.0.0.0/8", "169.254.0.0/16"),
        ({"nonPrivateIPs": False}, "0.0.0.0/1", "nothing"),
    ],
)
def test_what_servers_may_reach(tmp_path: Path, rules: Any, blocked: str, open_: str) -> None:
    made = moving(tmp_path, {"singleuser": {"networkPolicy": {"egressAllowRules": rules}}})
    found = made.chart["networkPolicy"]["blocked"]
    assert blocked in found
    assert open_ not in found


def test_a_certificate_and_a_registry_become_secrets(tmp_path: Path) -> None:
    https = {"enabled": True, "type": "manual", "manual": {"key": "k", "cert": "c"}, "hosts": ["h"]}
    pull = {"create": True, "registry": "r.example.org", "username": "u", "password": "p"}
    made = moving(tmp_path, {"proxy": {"https": https}, "imagePullSecret": pull})
    assert made.secrets.types == {
        "proxy-tls": "kubernetes.io/tls",
        "image-pull-secret": "kubernetes.io/dockerconfigjson",
    }
    assert made.chart["ingress"] == {"enabled": True, "tlsSecret": "proxy-tls"}
    assert made.chart["imagePullSecrets"] == ["image-pull-secret"]
    assert made.chart["url"] == "https://h/"


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("a: [", ":1"),
        ("- 1", "holds no values"),
        ("sops: {}\nhub: {}", "decrypted"),
        ("other: 1", "no values of Zero to JupyterHub"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: str, words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.yaml").write_text(written)
    said = run("init", "--from-z2jh", "a.yaml")
    assert said.exit_code == 1
    assert "a.yaml" in said.output
    assert words in said.output
    assert not Path("greyhub_config.py").exists()


def test_variables_are_texts_as_helm_writes_them(tmp_path: Path) -> None:
    given = {"A": True, "B": 1, "C": None, "D": {"name": "D", "value": "d"}}
    made = moving(tmp_path, {"hub": {"extraEnv": given}, "singleuser": {"extraEnv": {"E": 2}}})
    values = [(each["name"], each["value"]) for each in made.chart["hub"]["env"]]
    assert values == [("A", "true"), ("B", "1"), ("C", ""), ("D", "d")]
    assert 'c.KubeSpawner.environment = {"E": "2"}' in text(made)


def test_named_servers_had_claims_of_their_own(tmp_path: Path) -> None:
    made = moving(tmp_path, {"hub": {"allowNamedServers": True}})
    (found,) = (each for each in made.outcomes if each.path == "hub.allowNamedServers")
    assert "copy from those claims" in found.review
    shared = {"type": "static", "static": {"pvcName": "nfs"}}
    made = moving(tmp_path, {"hub": {"allowNamedServers": True}, "singleuser": {"storage": shared}})
    (found,) = (each for each in made.outcomes if each.path == "hub.allowNamedServers")
    assert not found.review


def test_a_file_that_cannot_be_written_keeps_no_other_from_it(tmp_path: Path) -> None:
    files = {
        "a.json": {"mountPath": "/etc/a.json", "data": {"b": 1}, "mode": 292},
        "c": {"mountPath": "/etc/c.toml", "data": {"d": 1}},
    }
    made = moving(tmp_path, {"singleuser": {"extraFiles": files}})
    assert outcome(made, "singleuser.extraFiles.a.json")[0] == "moved"
    assert outcome(made, "singleuser.extraFiles.c")[0] == "left"
    said = text(made)
    assert '"subPath": "a.json"' in said
    assert '"mode": 292' in said
    assert '"/etc/c.toml"' not in said


def test_nothing_is_written_over_and_options_go_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("values.yaml").write_text("hub: {}\nsingleuser: {}")
    Path("greyhub_values.yaml").write_text("mine")
    said = run("init", "--from-z2jh", "values.yaml")
    assert said.exit_code == 1
    assert "--force" in said.output
    assert Path("greyhub_values.yaml").read_text() == "mine"
    assert run("init", "--from-z2jh", "values.yaml", "--force").exit_code == 0
    assert run("init", "--secrets").exit_code == 2
    assert run("init", "--from-z2jh", "values.yaml", "--tutorial").exit_code == 2
