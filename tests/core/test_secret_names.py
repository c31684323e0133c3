"""Names and texts that hold a secret, and those that only look like it."""

from __future__ import annotations

from typing import Any

import pytest

from greyhub.masking import MASK, masked
from greyhub.secret_names import is_secret
from greyhub.secret_references import is_reference, literal_secrets
from greyhub.secret_texts import holds_secret, is_secret_text

SECRETS = """
keys password PASSWORD PGPASSWORD DB_PASS SMTP_PASS MYSQL_PWD user_password rootPassword password2
client_secret clientSecret CLIENT_SECRET_PROD cookie_secret secret SecretValue sharedsecret token
auth_token OAuthToken GITHUB_TOKEN refresh_token verify_token HF_TOKEN x-auth-token tokens
service_tokens api_key apiKey X-API-Key APIKEY api_keys aws_secret_access_key
AWS_SECRET_ACCESS_KEY access_key account_key AZURE_STORAGE_KEY private_key secret_key signing_key
JUPYTERHUB_CRYPT_KEY encryption_keys connection_string connectionString
AZURE_STORAGE_CONNECTION_STRING sas_token credential credentials passphrase Authorization
shared_access_signature lookup_dn_search_password DBPASS PW bindpw MYSQL_ROOT_PW userpw keystorepass
TOKEN_GITHUB PASSWORD_HUB password_for_ada SECRET_DB PASSWORT MOT_DE_PASSE passcode TOTP_SEED
unlockCode
"""

OPEN = """
TOKENIZERS_PARALLELISM tokenizer tokenize_urls secretary compass bypass encompass sasl_mechanism
disaster_recovery keyboard monkey turnkey keys_per_page KEY key author authority passenger
password_file PASSWORD_FILE token_url TOKEN_ENDPOINT secret_name secretName SECRET_ARN_NAME
token_type access_key_id AWS_ACCESS_KEY_ID username_key auth_state_groups_key user_auth_state_key
public_key ssl_key primary_key sort_key partition_key foreign_key authorized_keys
cookie_secret_file crypt_rounds bcrypt_rounds encryption scrypt description
token_expires_in_max_seconds MAX_TOKENS OPENAI_MAX_TOKENS max_tokens num_tokens
password_min_length enable_password require_token allow_refresh_tokens exclude_tokens
revoke_tokens_on_logout use_token image_pull_secrets automount_service_account_token token_params
password_policy secret_provider_class tokens_per_minute n_pass two_pass render_pass eos_token
PAD_TOKEN mail_signature signature TOKEN_AUDIENCE SECRET_STORE password_hint token_ref QR_CODE
zip_code http_pw_file
"""


@pytest.mark.parametrize("name", SECRETS.split())
def test_a_name_of_a_secret(name: str) -> None:
    assert is_secret(name)


@pytest.mark.parametrize("name", OPEN.split())
def test_a_name_that_only_sounds_like_a_secret(name: str) -> None:
    assert not is_secret(name)


@pytest.mark.parametrize("name", ["key", "auth", "pkey", "secret", "account_key"])
def test_a_name_of_a_secret_among_the_options_of_a_store(name: str) -> None:
    assert is_secret(name, store=True)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("token", "anon"),
        ("vault.hashicorp.com/agent-inject-token", "true"),
        ("GOOGLE_APPLICATION_CREDENTIALS", "/etc/gcp/credentials.json"),
        ("private_key", "certs/hub.pem"),
        ("PASSWORD", "${PASSWORD}"),
        ("API_TOKEN", "{{ token }}"),
        ("Authorization", "Bearer {token}"),
        ("CONTEXT_TOKEN", "4096"),
        ("TOKEN_ISSUER", "https://login.example.org/realms/science"),
        ("token_client_id", "0oa1b2c3d4e5f6g7h8"),
        ("SORT_KEY", "a1b2c3d4e5f6a7b8c9d0"),
    ],
)
def test_a_text_that_is_no_secret_under_its_name(name: str, text: str) -> None:
    assert not is_secret_text(name, text)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("password", "hunter2"),
        ("password", "12345"),
        ("password", "p{a}ss$w/rd"),
        ("password", "kX9/pQ2#xx"),
        ("password", "dummy"),
        ("password", "changeme"),
        ("SECRET_KEY", "5f0e1c2d-3b4a-4c5d-8e6f-7a8b9c0d1e2f"),
        ("TOKEN_OF_THE_BOT", "a8f5f167f44f4964e6c998dee827110c"),
        ("OPENAI_KEY", "sk-a8f5f167f44f4964e6c998dee8271"),
        ("db", "postgresql://hub:hunter2@db/hub"),
        ("args", "--api-token=a8f5f167f44f"),
        ("cmd", "PASSWORD=hunter2 start"),
        ("script", "curl -H 'X-API-Key: abc123def'"),
        ("url", "https://store.example.org/homes?sv=2024&sig=abc%3D"),
        ("any", "-----BEGIN RSA PRIVATE KEY-----\nMIIE"),
    ],
)
def test_a_text_that_is_a_secret_or_has_one_in_it(name: str, text: str) -> None:
    assert holds_secret(name, text)


@pytest.mark.parametrize(
    "text",
    [
        "TOKENIZERS_PARALLELISM=false",
        "postgresql://hub:${PASSWORD}@db/hub",
        "--token-url=https://login.example.org/token",
        "password=${PASSWORD}",
        "https://hub.example.org/hub/api",
        "Log in with your password: that of the university",
        "<b>Token</b>: ask the help desk",
    ],
)
def test_a_text_without_a_secret_is_shown_as_it_is(text: str) -> None:
    assert masked(text) == text
    assert not holds_secret("text", text)


@pytest.mark.parametrize(
    ("value", "name", "told"),
    [
        (
            [{"key": "hub.jupyter.org/dedicated", "operator": "Equal", "value": "user"}],
            "tolerations",
            [{"key": "hub.jupyter.org/dedicated", "operator": "Equal", "value": "user"}],
        ),
        ({"TOKENIZERS_PARALLELISM": "false"}, "environment", {"TOKENIZERS_PARALLELISM": "false"}),
        ({"HF_TOKEN": "hf_x"}, "environment", {"HF_TOKEN": MASK}),
        ({"key": "AKIA", "anon": False}, "storage_options", {"key": MASK, "anon": False}),
        (
            {"client_kwargs": {"key": "AKIA", "region_name": "here"}},
            "storage_options",
            {"client_kwargs": {"key": MASK, "region_name": "here"}},
        ),
        ({"key": {"env": "KEY"}}, "storage_options", {"key": "greyhub.secret(env='KEY')"}),
        (["--token", "abc", "--debug"], "args", ["--token", MASK, "--debug"]),
        (
            [{"name": "DB_PASSWORD", "value": "hunter2"}, {"name": "A", "value": "b"}],
            "env",
            [{"name": "DB_PASSWORD", "value": MASK}, {"name": "A", "value": "b"}],
        ),
        (
            {"DB_PASSWORD": {"valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}}},
            "environment",
            {"DB_PASSWORD": {"valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}}},
        ),
        (
            [{"name": "certs", "secret": {"secretName": "hub-certs"}}],
            "volumes",
            [{"name": "certs", "secret": {"secretName": "hub-certs"}}],
        ),
        ({"a8f5": "a-service"}, "service_tokens", MASK),
        ([b"one"], "keys", MASK),
    ],
)
def test_what_people_are_shown(value: Any, name: str, told: Any) -> None:
    assert masked(value, name) == told


def test_a_reference_says_where_a_secret_is() -> None:
    assert is_reference({"valueFrom": {"secretKeyRef": {}}})
    assert is_reference({"name": "db", "key": "password"})
    assert not is_reference({"alice": "hunter2"})
    assert not is_reference({"key": "AKIA"})
    assert not is_reference({"name": "service", "secret": "hunter2"})


@pytest.mark.parametrize(
    "options",
    [
        {"key": "AKIA"},
        {"secret": "a-secret"},
        {"client_kwargs": {"key": "AKIA"}},
        {"auth": ("ada", "hunter2")},
        {"token": {"name": "hunter2"}},
        {"deep": {"er": {"password": "hunter2"}}},
    ],
)
def test_a_secret_among_the_options_of_a_store_is_found(options: dict[str, Any]) -> None:
    assert list(literal_secrets(options, store=True))
    shown = repr(masked(options, "storage_options"))
    assert "AKIA" not in shown
    assert "hunter2" not in shown or "token" in options


def test_a_pair_with_a_reference_is_no_secret() -> None:
    options = {"auth": ("ada", {"env": "PASSWORD"}), "key": {"env": "KEY"}, "token": "anon"}
    assert not list(literal_secrets(options, store=True))
