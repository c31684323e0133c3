"""Secrets that are written out are found under whatever name, and nothing else is taken for one."""

from __future__ import annotations

from pathlib import Path

import pytest

from greyhub.adapter import Finding
from greyhub.cli.reading import read
from tests.checks.mistakes.mistake import KUBE, REACHED
from tests.checks.starting import forget, write

KUBERNETES = KUBE + REACHED

AZURE = """
c.GreyHub.spawner = "azureml"
c.GreyHub.homespace = None
c.AzureML.subscription, c.AzureML.resource_group, c.AzureML.workspace = "s", "g", "w"
c.AzureMLSpawner.server_networks = ["10.1.0.0/16"]
c.JupyterHub.public_url = "https://hub.example.org/"
c.JupyterHub.ip = "127.0.0.1"
"""

WRITTEN_OUT = {
    "a client's secret": KUBERNETES.replace('secret = ""', 'secret = "canary-4711"'),
    "a variable of servers": 'c.Spawner.environment = {"HF_TOKEN": "canary-4711"}',
    "a variable of one word": 'c.Spawner.environment = {"PGPASSWORD": "canary-4711"}',
    "a password of a person's": 'c.DummyAuthenticator.password = "canary-4711"\n'
    'c.GreyHub.auth = "dummy"\nc.JupyterHub.ip = "127.0.0.1"',
    "a service's token": "c.JupyterHub.services = ["
    '{"name": "x", "url": "http://127.0.0.1:9999", "api_token": "canary-4711-4711"}]',
    "tokens by themselves": 'c.JupyterHub.api_tokens = {"canary-4711-4711": "ada"}',
    "a database's password": 'c.JupyterHub.db_url = "sqlite://hub:canary-4711@/hub.sqlite"',
    "a proxy's password in a URL": "c.Spawner.environment = "
    '{"https_proxy": "http://hub:canary-4711@proxy.example.org:3128"}',
    "an argument after its flag": 'c.Spawner.args = ["--IdentityProvider.token", "canary-4711"]',
    "an argument with its flag": 'c.Spawner.args = ["--IdentityProvider.token=canary-4711"]',
    "a container's variable, by name and value": KUBERNETES + "c.KubeSpawner.extra_containers = ["
    '{"name": "x", "image": "x", "env": [{"name": "DB_PASSWORD", "value": "canary-4711"}]}]',
    "a key whose name says little": "c.Spawner.environment = "
    '{"OPENAI_KEY": "canary-a8f5f167f44f4964e6c998d"}',
    "a token that says what it is": "c.Spawner.environment = "
    '{"GH": "ghp_canary4711canary4711canary4711"}',
    "a JSON web token": "c.Spawner.environment = "
    '{"X": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.canary4711"}',
    "an address to post to": "c.Spawner.environment = "
    '{"HOOK": "https://hooks.slack.com/services/T0CANARY/B0CANARY/canary4711canary"}',
    "a header": 'c.Spawner.args = ["--header", "Authorization: Bearer canary-4711-4711"]',
    "a header's value": 'c.Spawner.environment = {"HEADER": "Basic Y2FuYXJ5OjQ3MTE="}',
    "JSON in a variable": "c.Spawner.environment = "
    """{"FSSPEC_S3": '{"key": "AKIA4711", "secret": "canary-4711"}'}""",
    "bytes by their digits": "c.JupyterHub.cookie_secret = bytes.fromhex('" + "ca4711ab" * 8 + "')",
    "a command of a shell": 'c.Spawner.cmd = ["bash", "-c", '
    '"AWS_SECRET_ACCESS_KEY=canary4711canary exec jupyterhub-singleuser"]',
    "an index with a login": "c.Spawner.environment = "
    '{"PIP_INDEX_URL": "https://ada:canary-4711@pypi.example.org/simple"}',
    "a signature in an address": "c.Spawner.environment = "
    '{"STORE": "https://x.blob.core.windows.net/c?sv=2022-11-02&sig=canary4711%3D"}',
    "a token in an address": "c.Spawner.environment = "
    '{"STORE": "https://store.example.org/x?access_token=canary4711"}',
    "a token before an address": "c.Spawner.environment = "
    '{"REPOSITORY": "https://canary-token4711abcdefgh@git.example.org/x/y.git"}',
    "a flag in one text with its value": "c.Spawner.pre_spawn_hook = None\n"
    'c.Spawner.cmd = ["bash", "-c", "start --token canary4711"]',
    "a password that is joined to its flag": "c.Spawner.cmd = "
    '["bash", "-c", "mysql -u root -pcanary4711 < /x.sql; exec jupyterhub-singleuser"]',
    "YAML in a variable": "c.Spawner.environment = "
    r'{"KUBECONFIG_TEXT": "users:\n- name: x\n  user:\n    token: canary4711\n"}',
    "INI in a variable": "c.Spawner.environment = "
    r'{"AWS": "[default]\naws_access_key_id = AKIA\naws_secret_access_key = canary4711\n"}',
    "a registry's login": "c.Spawner.environment = "
    """{"DOCKER_AUTH_CONFIG": '{"auths": {"example.org": {"auth": "YWRhOmNhbmFyeQ=="}}}'}""",
    "a header with a scheme": "c.Spawner.args = "
    '["--header", "Authorization: token canary-4711-4711"]',
    "a name that begins with the noun": 'c.Spawner.environment = {"TOKEN_GITHUB": "canary-4711"}',
    "a short name": 'c.Spawner.environment = {"DBPASS": "canary-4711"}',
    "a line of netrc": "c.Spawner.environment = "
    '{"NETRC": "machine example.org login ada password canary4711"}',
}

NO_SECRET = {
    "a way to prove who one is": AZURE + 'c.AzureML.credential = "managed-identity"',
    "Kubernetes' tolerations": "c.KubeSpawner.tolerations = ["
    '{"key": "hub.jupyter.org/dedicated", "operator": "Equal", "value": "user"}]',
    "Kubernetes' affinities": "c.KubeSpawner.node_affinity_required = [{'matchExpressions': ["
    "{'key': 'hub.jupyter.org/node-purpose', 'operator': 'In', 'values': ['user']}]}]",
    "a volume of a secret": "c.KubeSpawner.volumes = ["
    '{"name": "certificates", "secret": {"secretName": "hub-certificates"}}]',
    "a projected token": "c.KubeSpawner.volumes = [{'name': 't', 'projected': {'sources': ["
    "{'serviceAccountToken': {'path': 'token', 'expirationSeconds': 3600}}]}}]",
    "secrets for pulling images": 'c.KubeSpawner.image_pull_secrets = [{"name": "registry"}]',
    "a variable from a secret of Kubernetes": 'c.KubeSpawner.environment = {"DB_PASSWORD": '
    '{"name": "DB_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}}}',
    "labels about secrets": "c.KubeSpawner.extra_annotations = "
    '{"vault.hashicorp.com/agent-inject-token": "true"}',
    "tokenizers": 'c.Spawner.environment = {"TOKENIZERS_PARALLELISM": "false"}',
    "a count of tokens": 'c.Spawner.environment = {"OPENAI_MAX_TOKENS": "4096"}',
    "a file of credentials": "c.Spawner.environment = "
    '{"GOOGLE_APPLICATION_CREDENTIALS": "/etc/gcp/credentials.json"}',
    "a file for a password": 'c.Spawner.environment = {"DB_PASSWORD_FILE": "/run/secrets/db"}',
    "an address of tokens": "c.Spawner.environment = "
    '{"OAUTH_TOKEN_URL": "https://login.example.org/oauth2/token"}',
    "the name of a secret": 'c.Spawner.environment = {"VAULT_SECRET_NAME": "notebooks"}',
    "words that only begin alike": "c.Spawner.environment = "
    '{"SECRETARY": "ada", "COMPASS": "north", "KEYBOARD": "de", "SASL_MECHANISM": "GSSAPI"}',
    "a text that speaks of passwords": "c.JupyterHub.template_vars = "
    '{"announcement": "Your password: that of the university"}',
    "a key that is public": "c.Spawner.environment = "
    '{"SSH_PUBLIC_KEY": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0123456789abcdefghijklmnopq ada"}',
    "a secret's name in a cloud": "c.Spawner.environment = {'SECRET_ARN': "
    "'arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-AbCdEf'}",
    "hashes of versions": "c.Spawner.environment = "
    '{"GIT_COMMIT": "8f3b2c1d9e8f7a6b5c4d3e2f1a0b9c8d7e6f5a4b", "SORT_KEY": "date"}',
    "an image by its digest": 'c.KubeSpawner.image = "x@sha256:' + "ab12" * 16 + '"',
    "a driver for secrets": "c.KubeSpawner.volumes = [{'name': 's', 'csi': {"
    "'driver': 'secrets-store.csi.k8s.io', 'volumeAttributes': {'secretProviderClass': 'kv'}}}]",
    "how a vault is reached": "c.Spawner.environment = "
    '{"VAULT_ADDR": "https://vault.example.org", "VAULT_TOKEN_TTL": "1h"}',
    "an account in an address": "c.Spawner.environment = "
    '{"GIT": "ssh://git@example.org/x/y.git", "MAIL": "mailto:ada@example.org"}',
    "a kind of login": 'c.Spawner.environment = {"AUTH": "Basic authentication, by the proxy"}',
    "JSON without a secret": "c.Spawner.environment = "
    """{"FSSPEC_GCS": '{"token": "cloud", "project": "science"}'}""",
    "an identifier": "c.Spawner.environment = "
    '{"TENANT_ID": "5f0e1c2d-3b4a-4c5d-8e6f-7a8b9c0d1e2f"}',
    "a variable that the shell fills in": 'c.Spawner.environment = {"API_TOKEN": "${API_TOKEN}"}',
    "what a shell is told to read": "c.Spawner.cmd = ["
    '"bash", "-c", "TOKEN=$(cat /run/secrets/token) exec jupyterhub-singleuser"]',
    "references to vaults": "c.Spawner.environment = "
    '{"DB_PASSWORD": "vault:kv/data/db#password", "SMTP_PASSWORD": "op://hub/smtp/password"}',
    "a key's identifier": "c.Spawner.environment = "
    '{"KMS_ENCRYPTION_KEY": "arn:aws:kms:eu-west-1:123456789012:key/5f0e1c2d-3b4a"}',
    "marks of a language model": "c.Spawner.environment = "
    '{"EOS_TOKEN": "</s>", "PAD_TOKEN": "[PAD]"}',
    "a fingerprint, as Python's images have it": "c.Spawner.environment = "
    '{"GPG_KEY": "A035C8C19219BA821ECEA86B64E628F8D684696D"}',
    "a key that others may know": "c.Spawner.environment = "
    '{"DEPLOY_KEY": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0123456789abcdefghijklmnopq ada"}',
    "a way to log in": 'c.Spawner.environment = {"AZURE_CREDENTIAL": "managed-identity"}',
    "help for people": "c.JupyterHub.template_vars = "
    '{"announcement": "Use --password=PASSWORD, or --token YOUR_TOKEN"}',
    "a sentence about schemes": "c.JupyterHub.template_vars = "
    '{"announcement": "Basic training12 for bearer tokens2023"}',
}


def warnings(tmp_path: Path, config: str, monkeypatch: pytest.MonkeyPatch) -> list[Finding]:
    monkeypatch.chdir(tmp_path)
    try:
        return [
            each for each in read(str(write(tmp_path, config))).findings if "secret" in each.message
        ]
    finally:
        forget()


@pytest.mark.parametrize("config", WRITTEN_OUT.values(), ids=WRITTEN_OUT)
def test_a_secret_in_the_file_is_found(
    config: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [found] = warnings(tmp_path, config, monkeypatch)
    assert found.level == "warning"
    assert "the secret stands in the file itself" in found.message
    assert "canary" not in str(found)


@pytest.mark.parametrize("config", NO_SECRET.values(), ids=NO_SECRET)
def test_what_only_sounds_like_a_secret_is_none(
    config: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = KUBERNETES if "KubeSpawner" in config else ""
    assert not warnings(tmp_path, base + config, monkeypatch)
