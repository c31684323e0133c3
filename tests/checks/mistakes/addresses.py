"""Addresses that are none: homes, catalogues, the hub, its proxy, gateways, providers."""

from __future__ import annotations

from tests.checks.mistakes.mistake import Mistake

HOMES = (
    ("a store without a host", "https:///homes/{username}", "names no host", "https://HOST/homes/"),
    ("a store without a bucket", "s3:///{username}", "names no bucket", "s3://BUCKET/{username}"),
    (
        "a cached store without a container",
        "simplecache::az:///{username}",
        "names no container",
        "write 'simplecache::az://CONTAINER/{username}'",
    ),
    ("a port that is too big", "sftp://h:99999/{username}", "'99999' for a port", "1 to 65535"),
    ("port zero", "sftp://h:0/{username}", "'0' for a port", "1 to 65535"),
    ("a port in words", "webdav://h:http/{username}", "'http' for a port", "1 to 65535"),
    ("one slash", "s3:/homes/{username}", "has ':/' where '://'", "write 's3://homes/{username}'"),
    ("no colon", "s3//homes/{username}", "has '//' where '://'", "write 's3://homes/{username}'"),
    ("a semicolon", "s3;//homes/{username}", "has ';//' where", "write 's3://homes/{username}'"),
    ("backslashes", r"s3:\\\\homes\\{username}", "where '://' belongs", "'s3://homes/{username}'"),
    ("a space before it", " s3://homes/{username}", "a space before it", "'s3://homes/{username}'"),
    ("a space behind it", "s3://homes/{username} ", "a space behind it", "'s3://homes/{username}'"),
    ("a space in its host", "https://my host/{username}", "has a space in it", "leave it out"),
    (
        "a directory's path",
        "/srv/homes/{username}",
        "is a directory's path",
        "write 'local', and c.LocalHomespace.root = '/srv/homes'",
    ),
    (
        "two slashes before a directory",
        "file://srv/homes/{username}",
        "has a host, and a directory is asked for",
        "'file:///srv/homes/{username}'",
    ),
    (
        "one slash before a directory",
        "file:/srv/homes/{username}",
        "has ':/' where '://' belongs",
        "'file:///srv/homes/{username}'",
    ),
    (
        "a number that is no host",
        "sftp://10.0.0.300/{username}",
        "which is no host",
        "fix the name",
    ),
    ("two dots in a host", "https://a..org/{username}", "names 'a..org'", "fix the name"),
    ("one bracket", "webdav://[::1/{username}", "which is no host", "[::1]"),
    (
        "a login with a slash in it",
        "sftp://ada:can/ary@h/{username}",
        "a login that must be encoded",
        "",
    ),
)
CATALOGUES = (
    ("a protocol", "htps://h/cat.yaml", "the protocol 'htps'; did", "write 'https://h/cat.yaml'"),
    ("one slash", "https:/h/cat.yaml", "where '://' belongs", "write 'https://h/cat.yaml'"),
    ("no host", "https:///cat.yaml", "names no host", "write 'https://HOST/cat.yaml'"),
    ("a bad port", "https://h:port/cat.yaml", "'port' for a port", "1 to 65535"),
    ("a space", "s3://data/cat.yaml ", "a space behind it", "write 's3://data/cat.yaml'"),
)
GATEWAY = 'c.GreyHub.cluster = "gateway"\n'
OWN = (
    ("bind_url", "127.0.0.1:8000", "begins with no protocol", "write 'http://127.0.0.1:8000'"),
    ("bind_url", "http:/127.0.0.1:8000", "where '://' belongs", "write 'http://127.0.0.1:8000'"),
    ("bind_url", "htp://127.0.0.1:8000", "does not begin", "write 'http://127.0.0.1:8000'"),
    ("bind_url", "http://127.0.0.1:80000", "'80000' for a port", "1 to 65535"),
    ("hub_bind_url", "http://127.0.0.1:8081 ", "a space behind it", "'http://127.0.0.1:8081'"),
    ("hub_connect_url", "http://:8081", "names no host", "before the port"),
    ("ip", "127.0.0.1:8000", "has a port", "write '127.0.0.1', and c.JupyterHub.port = 8000"),
    ("hub_ip", "10.0.0.5:8081", "has a port", "and c.JupyterHub.hub_port = 8081"),
    ("hub_ip", " 10.0.0.5", "is no address", "write '10.0.0.5'"),
    ("base_url", "https://h/jhub/", "a path is asked for", "write '/jhub'"),
    ("public_url", "https:/h", "where '://' belongs", "write 'https://h'"),
    ("public_url", "htps://h", "does not begin with https://", "write 'https://h'"),
    ("subdomain_host", "https:///h", "names no host", "write 'https://HOST/h'"),
)

ADDRESSES = (
    *(
        Mistake(
            f"a home's address: {name}",
            f'c.GreyHub.homespace = "{value}"  # here',
            "c.GreyHub.homespace",
            says,
            fix,
        )
        for name, value, says, fix in HOMES
    ),
    *(
        Mistake(
            f"a catalogue's address: {name}, as {kind}",
            f"c.{option} = {value!r}  # here",
            f"c.{option}",
            says,
            fix,
        )
        for name, text, says, fix in CATALOGUES
        for kind, option, value in (
            ("the slot's value", "GreyHub.data", text),
            ("one of a list", "LocalData.catalogs", [text]),
            ("one of a mapping", "LocalData.catalogs", {"ocean": text}),
        )
    ),
    *(
        Mistake(
            f"c.JupyterHub.{option} as {value!r}",
            f"c.JupyterHub.{option} = {value!r}  # here",
            f"c.JupyterHub.{option}",
            says,
            fix,
        )
        for option, value, says, fix in OWN
    ),
    Mistake(
        "a directory where a catalogue is asked for",
        'c.GreyHub.data = "/srv/catalogs"  # here',
        "c.GreyHub.data",
        "its name would end with .yaml or .yml",
        "name the file, such as /srv/catalogs/catalog.yaml",
    ),
    Mistake(
        "the proxy's API without a protocol",
        'c.ConfigurableHTTPProxy.api_url = "127.0.0.1:8001"  # here',
        "c.ConfigurableHTTPProxy.api_url",
        "begins with no protocol",
        "write 'http://127.0.0.1:8001'",
    ),
    Mistake(
        "a gateway's proxy with a slip in its protocol",
        GATEWAY + 'c.GatewayAdapter.address = "http://h:8000"\n'
        'c.GatewayAdapter.proxy_address = "gatewy://h:80"  # here',
        "c.GatewayAdapter.proxy_address",
        "does not begin with gateway://",
        "write 'gateway://h:80'",
    ),
    Mistake(
        "a gateway's public address without a protocol",
        GATEWAY + 'c.GatewayAdapter.address = "http://h:8000"\n'
        'c.GatewayAdapter.public_address = "dask.example.org"  # here',
        "c.GatewayAdapter.public_address",
        "begins with no protocol",
        "write 'http://dask.example.org'",
    ),
    Mistake(
        "an OpenID Connect provider without a protocol",
        'c.GreyHub.auth = "oidc"\nc.OIDCAuthenticator.client_id = "hub"\n'
        'c.OIDCAuthenticator.issuer = "login.example.org"  # here',
        "c.OIDCAuthenticator.issuer",
        "begins with no protocol",
        "write 'https://login.example.org'",
    ),
    Mistake(
        "an OAuth provider's page with one slash",
        'c.GreyHub.auth = "generic-oauth"\nc.GenericOAuthenticator.client_id = "hub"\n'
        'c.GenericOAuthenticator.authorize_url = "https:/id.example.org/auth"  # here',
        "c.GenericOAuthenticator.authorize_url",
        "has ':/' where '://' belongs",
        "write 'https://id.example.org/auth'",
    ),
)
