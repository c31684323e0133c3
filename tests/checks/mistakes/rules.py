"""Options and slots that do not go together."""

from __future__ import annotations

from tests.checks.mistakes.mistake import INSTANCES, KUBE, REACHED, Mistake

RULES = (
    Mistake(
        "pods that cannot reach the hub",
        KUBE,
        "c.JupyterHub.hub_ip",
        "it listens on loopback only",
        'c.JupyterHub.hub_ip = "0.0.0.0"',
        where="",
    ),
    Mistake(
        "pods that are told of a loopback address",
        KUBE + REACHED + 'c.JupyterHub.hub_connect_ip = "127.0.0.1"',
        "c.JupyterHub.hub_ip",
        "it listens on loopback only",
        "hub_connect_ip",
    ),
    Mistake(
        "homes on the hub's machine, servers in pods",
        KUBE.replace("s3://homes/{username}", "local") + REACHED,
        "c.GreyHub.homespace",
        "homes are directories of the hub's machine, and servers run elsewhere",
        "c.LocalHomespace.root",
    ),
    Mistake(
        "homes on the hub's machine, servers on compute instances",
        INSTANCES,
        "c.GreyHub.homespace",
        "homes are directories of the hub's machine, and servers run elsewhere",
        "c.LocalHomespace.root",
    ),
    Mistake(
        "a gateway without an address",
        'c.GreyHub.cluster = "dask_gateway.GatewayCluster"',
        "c.ClusterAdapter.options",
        "a notebook could not find the dask-gateway",
        "c.ClusterAdapter.options",
        where="",
    ),
    Mistake(
        "a gateway that pods cannot reach",
        KUBE + REACHED + 'c.GreyHub.cluster = "dask_gateway.GatewayCluster"\n'
        'c.ClusterAdapter.options = {"address": "http://127.0.0.1:8001"}  # here',
        "c.ClusterAdapter.options",
        "the dask-gateway's address is loopback",
        "that servers can reach",
    ),
    Mistake(
        "TLS inside, where servers are processes of the hub's machine",
        "c.JupyterHub.internal_ssl = True  # here",
        "c.JupyterHub.internal_ssl",
        "none would start",
        "choose a spawner that has TLS",
    ),
    Mistake(
        "auth state without a key",
        "c.Authenticator.enable_auth_state = True  # here",
        "c.Authenticator.enable_auth_state",
        "there is no key",
        "JUPYTERHUB_CRYPT_KEY",
    ),
    Mistake(
        "a certificate without a key",
        "c.JupyterHub.ssl_cert = __file__  # here",
        "c.JupyterHub.ssl_cert",
        "a certificate needs its key",
        "set c.JupyterHub.ssl_key",
    ),
    Mistake(
        "a certificate that is not there",
        'c.JupyterHub.ssl_cert = "/etc/ssl/nowhere.pem"  # here\nc.JupyterHub.ssl_key = __file__',
        "c.JupyterHub.ssl_cert",
        "there is no file /etc/ssl/nowhere.pem",
        "fix the path",
    ),
    Mistake(
        "templates that are not there",
        'c.JupyterHub.template_paths = ["/srv/templates"]  # here',
        "c.JupyterHub.template_paths",
        "there is no directory /srv/templates",
        "fix the path",
    ),
    Mistake(
        "an address twice",
        'c.JupyterHub.bind_url = "http://127.0.0.1:8000"\nc.JupyterHub.port = 8001  # here',
        "c.JupyterHub.port",
        "c.JupyterHub.bind_url and c.JupyterHub.port exclude each other",
        "keep one of the two",
    ),
    Mistake(
        "the hub's own address twice",
        'c.JupyterHub.hub_bind_url = "http://127.0.0.1:8081"\n'
        'c.JupyterHub.hub_ip = "0.0.0.0"  # here',
        "c.JupyterHub.hub_ip",
        "exclude each other",
        "keep one of the two",
    ),
    Mistake(
        "a culler that may cull nothing",
        "import sys\nc.JupyterHub.services = [  # here\n"
        '    {"name": "idle", "command": [sys.executable, "-m", "jupyterhub_idle_culler"]}]',
        "c.JupyterHub.services",
        "the culler would cull nothing",
        "'delete:servers'",
    ),
    Mistake(
        "an OAuth client without its identity",
        KUBE.replace('c.GenericOAuthenticator.client_id = "hub"\n', "") + REACHED,
        "c.GenericOAuthenticator.client_id",
        "GenericOAuthenticator cannot work without it",
        "set c.GenericOAuthenticator.client_id",
    ),
    Mistake(
        "an OAuth provider without its URLs",
        KUBE.replace("c.GenericOAuthenticator.token_url", "# ") + REACHED,
        "c.GenericOAuthenticator.token_url",
        "GenericOAuthenticator cannot work without it",
        "set c.GenericOAuthenticator.token_url",
    ),
    Mistake(
        "an OAuth callback that is no page of the hub",
        KUBE + REACHED + "c.GenericOAuthenticator.oauth_callback_url = "
        '"https://hub.example.org/oauth_callback"  # here',
        "c.GenericOAuthenticator.oauth_callback_url",
        "is no page of the hub",
        "https://hub.example.org/hub/oauth_callback",
    ),
    Mistake(
        "groups from two sources",
        KUBE
        + REACHED
        + 'c.Authenticator.manage_groups = True\nc.JupyterHub.load_groups = {"a": {}}  # here',
        "c.JupyterHub.load_groups",
        "exclude each other",
        "keep one of the two",
    ),
)
