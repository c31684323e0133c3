"""The rules between options and between slots, as data.

`greyhub.checks.combinations` applies them. The documentation's table is made from
these lists; see `greyhub.reference.rules`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Option = tuple[str, str]
"""A section and an option of it."""


@dataclass(frozen=True)
class Rule:
    """Where all of ``when`` are true, ``needs`` must be."""

    when: tuple[str, ...]
    needs: str
    because: str
    option: Option
    """What it is said about."""
    level: Literal["error", "warning", "note"] = "error"
    fix: str = ""
    """By default, how the fact that it needs is made true."""


RULES = (
    Rule(
        ("servers-elsewhere",),
        "hub-reachable",
        "servers that run elsewhere report to the hub, and it listens on loopback only",
        ("JupyterHub", "hub_ip"),
    ),
    Rule(
        ("servers-elsewhere", "home-on-hub"),
        "home-shared",
        "homes are directories of the hub's machine, and servers run elsewhere",
        ("GreyHub", "homespace"),
    ),
    Rule(
        ("servers-elsewhere", "home-on-hub", "home-shared"),
        "not servers-elsewhere",
        "servers run elsewhere: the directory of the homes must be mounted there, at the same path",
        ("LocalHomespace", "root"),
        "note",
        "see that it is",
    ),
    Rule(
        ("servers-elsewhere", "catalogs-on-hub"),
        "not catalogs-on-hub",
        "catalogues are read where servers run: the files must be there, at the same paths",
        ("GreyHub", "data"),
        "note",
        "see that they are, or name catalogues by URL",
    ),
    Rule(
        ("home-in-memory",),
        "not home-in-memory",
        "homes in memory end with the server",
        ("GreyHub", "homespace"),
        "warning",
        'name a place that lasts, such as "s3://homes/{username}"',
    ),
    Rule(
        ("servers-elsewhere", "cluster-in-server"),
        "workers-limited",
        "workers share the limits of the user's server, which runs elsewhere",
        ("GreyHub", "cluster"),
        "note",
    ),
    Rule(
        ("servers-elsewhere", "cluster-class-in-server"),
        "workers-limited",
        "workers share the limits of the user's server, which runs elsewhere",
        ("GreyHub", "cluster"),
        "note",
        "set n_workers and memory_limit in c.ClusterAdapter.options to what a server may use",
    ),
    Rule(
        ("cluster-of-a-gateway",),
        "gateway-addressed",
        "a notebook could not find the dask-gateway",
        ("ClusterAdapter", "options"),
    ),
    Rule(
        ("cluster-of-a-gateway", "gateway-addressed"),
        "gateway-reachable",
        "the dask-gateway's address is loopback, and servers run elsewhere",
        ("ClusterAdapter", "options"),
    ),
    Rule(
        ("auth-state",),
        "crypt-key",
        "auth state is kept encrypted, and there is no key",
        ("Authenticator", "enable_auth_state"),
    ),
    Rule(("ssl-cert",), "ssl-key", "a certificate needs its key", ("JupyterHub", "ssl_cert")),
    Rule(("ssl-key",), "ssl-cert", "a key needs its certificate", ("JupyterHub", "ssl_key")),
    Rule(
        ("internal-ssl", "plain-processes"),
        "not internal-ssl",
        "servers on the hub's own machine listen on loopback, in clear: none would start",
        ("JupyterHub", "internal_ssl"),
        fix='leave it out, or choose a spawner that has TLS, such as "kubespawner.KubeSpawner"',
    ),
    *(
        Rule(
            (fact, "plain-processes"),
            f"not {fact}",
            "servers on the hub's own machine are plain processes, and nothing enforces it",
            ("Spawner", option),
            "warning",
            "choose a spawner that enforces it, such as systemdspawner's, or leave it out",
        )
        for fact, option in (("memory-limited", "mem_limit"), ("processor-limited", "cpu_limit"))
    ),
    Rule(
        ("internal-ssl", "instances"),
        "not internal-ssl",
        "a certificate would be made before its server's machine has an address: none would start",
        ("JupyterHub", "internal_ssl"),
        fix='leave it out; c.AzureMLSpawner.access = "tunnel" takes all requests through TLS',
    ),
    *(
        Rule(
            (fact, "instances"),
            f"not {fact}",
            "the size of a compute instance is its limit, and nothing else enforces one",
            ("Spawner", option),
            "warning",
            "choose c.AzureMLSpawner.machine_size, or leave it out",
        )
        for fact, option in (("memory-limited", "mem_limit"), ("processor-limited", "cpu_limit"))
    ),
    Rule(
        ("culler",),
        "culler-may-cull",
        "a service has no rights by itself: the culler would cull nothing",
        ("JupyterHub", "services"),
    ),
)


@dataclass(frozen=True)
class Exclusive:
    """Of two options, only one may be set."""

    one: Option
    other: Option
    because: str


EXCLUSIVE = (
    *(
        Exclusive(
            ("JupyterHub", "bind_url"),
            ("JupyterHub", part),
            f"bind_url says the {name} already, and which of the two wins depends on their order",
        )
        for part, name in (("ip", "address"), ("port", "port"), ("base_url", "path"))
    ),
    *(
        Exclusive(
            ("JupyterHub", "hub_bind_url"),
            ("JupyterHub", part),
            "hub_bind_url is used and the other is ignored",
        )
        for part in ("hub_ip", "hub_port")
    ),
    Exclusive(
        ("JupyterHub", "hub_connect_url"),
        ("JupyterHub", "hub_connect_ip"),
        "hub_connect_url is used and the other is ignored",
    ),
    Exclusive(
        ("JupyterHub", "cookie_secret"),
        ("JupyterHub", "cookie_secret_file"),
        "cookie_secret is used and the file is ignored",
    ),
    Exclusive(
        ("Authenticator", "manage_groups"),
        ("JupyterHub", "load_groups"),
        "groups come from the authenticator, or from here",
    ),
    Exclusive(
        ("OAuthenticator", "userdata_url"),
        ("OAuthenticator", "userdata_from_id_token"),
        "the user's data comes from one of the two",
    ),
)
"""Also, ``c.GreyHub.spawner`` and ``c.GreyHub.auth`` exclude JupyterHub's own options."""


@dataclass(frozen=True)
class Required:
    """Options without which a class cannot work."""

    cls: str
    options: tuple[str, ...]


REQUIRED = (
    Required("OAuthenticator", ("client_id", "client_secret")),
    Required("GenericOAuthenticator", ("authorize_url", "token_url")),
    Required("AzureAdOAuthenticator", ("tenant_id",)),
    Required("Auth0OAuthenticator", ("auth0_domain",)),
    Required("LDAPAuthenticator", ("server_address",)),
)
"""Also, every option of an adapter whose trait is tagged ``required=True``."""


@dataclass(frozen=True)
class Existing:
    """An option that names a file or directory, which must be there."""

    option: Option
    kind: Literal["file", "directory"]


EXISTING = (
    Existing(("JupyterHub", "ssl_cert"), "file"),
    Existing(("JupyterHub", "ssl_key"), "file"),
    Existing(("JupyterHub", "logo_file"), "file"),
    Existing(("JupyterHub", "template_paths"), "directory"),
    Existing(("JupyterHub", "data_files_path"), "directory"),
    Existing(("LocalHomespace", "welcome"), "directory"),
)
