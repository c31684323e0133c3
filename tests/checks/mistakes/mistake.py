"""Mistakes that happened to somebody, each with what greyhub must say of it.

The line that it is about is marked ``# here``; ``where`` replaces the file and line
where there is none.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mistake:
    """One mistake."""

    name: str
    config: str
    option: str
    says: str
    fix: str
    arguments: tuple[str, ...] = ()
    where: str | None = None
    environ: tuple[tuple[str, str], ...] = ()
    end: str | None = None


KUBE = """\
c.GreyHub.spawner = "kubespawner.KubeSpawner"
c.GreyHub.homespace = "s3://homes/{username}"
c.GreyHub.auth = "generic-oauth"
c.GenericOAuthenticator.client_id = "hub"
c.GenericOAuthenticator.client_secret = ""
c.GenericOAuthenticator.authorize_url = "https://id.example.org/auth"
c.GenericOAuthenticator.token_url = "https://id.example.org/token"
c.GenericOAuthenticator.allow_all = True
"""
INSTANCES = """\
c.GreyHub.spawner = "azureml"
c.GreyHub.homespace = "local"  # here
c.GreyHub.auth = "local"
c.JupyterHub.ip = "127.0.0.1"
c.JupyterHub.public_url = "https://hub.example.org/"
c.AzureML.subscription = "00000000-0000-0000-0000-000000000000"
c.AzureML.resource_group = "lab"
c.AzureML.workspace = "lab-workspace"
c.AzureML.credential = "managed-identity"
"""
REACHED = 'c.JupyterHub.hub_ip = "0.0.0.0"\n'
PAM = 'c.GreyHub.auth = "pam"\nc.JupyterHub.ip = "127.0.0.1"\n'
ADA = 'c.Authenticator.allowed_users = {"ada"}\n'


def with_secret(variable: str) -> str:
    """`KUBE`, with the client's secret in a variable, on the marked line."""
    told = f'client_secret = __import__("greyhub").secret(env="{variable}")  # here'
    return KUBE.replace('client_secret = ""', told) + REACHED
