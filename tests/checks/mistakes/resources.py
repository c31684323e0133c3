"""Files, databases, ports and numbers that would end the hub, or all that it starts."""

from __future__ import annotations

from tests.checks.mistakes.mistake import Mistake


def option(title: str, line: str, says: str, fix: str) -> Mistake:
    name, _, _ = line.splitlines()[-1].partition(" = ")
    return Mistake(title, f"{line}  # here", name, says, fix)


def with_file(title: str, content: str, mode: int, says: str, fix: str) -> Mistake:
    lines = (
        "from pathlib import Path\n"
        f'Path("held").write_text({content!r})\nPath("held").chmod({mode:#o})\n'
        'c.JupyterHub.cookie_secret_file = "held"  # here'
    )
    return Mistake(title, lines, "c.JupyterHub.cookie_secret_file", says, fix)


DB, PORT = "c.JupyterHub.db_url", "c.JupyterHub.port"

RESOURCES = (
    option(
        "a dialect of old",
        f'{DB} = "postgres://db/hub"',
        "dialects:postgres",
        "write postgresql://",
    ),
    option(
        "a dialect of old, with its driver",
        f'{DB} = "postgres+psycopg2://db/hub"',
        "dialects:postgres.psycopg2",
        "postgresql+psycopg2://",
    ),
    option(
        "a database without its driver",
        f'{DB} = "mysql://db/hub"',
        "needs the package mysqlclient",
        "pip install mysqlclient",
    ),
    option(
        "a database's URL that is none",
        f'{DB} = "hub of mine://"',
        "refuses the URL",
        "sqlite:////",
    ),
    option(
        "a database in a directory that is not there",
        f'{DB} = "sqlite:////no/such/place/hub.sqlite"',
        "there is no directory /no/such/place for the database",
        "mkdir -p /no/such/place",
    ),
    option(
        "a database's file without a scheme, in no directory",
        f'{DB} = "/no/such/place/hub.sqlite"',
        "there is no directory /no/such/place for the database",
        "mkdir -p /no/such/place",
    ),
    option(
        "a database that is a directory",
        f'{DB} = "sqlite:////tmp"',
        "is a directory",
        "a file in it",
    ),
    option(
        "an argument that the database's driver does not have",
        f'c.JupyterHub.db_kwargs = {{"no_such": 1}}\n{DB} = "sqlite:///:memory:"',
        "refuses the URL",
        "dialect://",
    ),
    with_file("a cookie secret that all can read", "ab" * 32, 0o644, "by anybody", "chmod 600"),
    with_file("a cookie secret that all can write", "ab" * 32, 0o602, "by anybody", "chmod 600"),
    with_file("a cookie secret that is no hex", "hello", 0o600, "refuses held", "openssl rand"),
    option(
        "a cookie secret in no directory",
        'c.JupyterHub.cookie_secret_file = "/no/such/place/secret"',
        "there is no directory /no/such/place",
        "mkdir -p",
    ),
    option(
        "a process number in no directory",
        'c.JupyterHub.pid_file = "/no/such/place/hub.pid"',
        "there is no directory /no/such/place",
        "mkdir -p",
    ),
    Mistake(
        "a certificate that is none",
        "from pathlib import Path\nfor each in ('k', 'p'):\n"
        "    Path(each).write_text('x')\n    Path(each).chmod(0o600)\n"
        'c.JupyterHub.ssl_cert = "p"\nc.JupyterHub.ssl_key = "k"  # here',
        "c.JupyterHub.ssl_key",
        "TLS does not take p with k",
        "that belong together",
    ),
    option("a port that is too high", f"{PORT} = 99999", "99999 is no port", "1 to 65535"),
    option("a port below zero", f"{PORT} = -1", "-1 is no port", "1 to 65535"),
    option("a hub's port that is none", "c.JupyterHub.hub_port = 70000", "is no port", "65535"),
    option(
        "an address whose port is none",
        'c.JupyterHub.bind_url = "http://127.0.0.1:70000"',
        "'70000' for a port",
        "write a number from 1 to 65535",
    ),
    option(
        "an address without a scheme",
        'c.JupyterHub.hub_bind_url = "127.0.0.1:8081"',
        "begins with no protocol",
        "write 'http://127.0.0.1:8081'",
    ),
    option(
        "the hub's own port", f"{PORT} = 8081", "would both listen on port 8081", "choose another"
    ),
    option(
        "one port for both",
        'c.JupyterHub.bind_url = "http://127.0.0.1:9000"\nc.JupyterHub.hub_port = 9000',
        "would both listen on port 9000",
        "set c.JupyterHub.hub_port",
    ),
    option("a limit of time below zero", "c.Spawner.start_timeout = -5", "-5 is below", "for 60"),
    option("no time at all", "c.Spawner.http_timeout = 0", "lets nothing start", "for 30"),
    option(
        "a number of spawns below zero",
        "c.JupyterHub.concurrent_spawn_limit = -3",
        "-3 is below zero",
        "for 100",
    ),
    option(
        "time below zero, for a proxy",
        "c.ConfigurableHTTPProxy.check_running_interval = -1",
        "-1 is below",
        "for 5",
    ),
    option("a size below zero", 'c.Spawner.mem_limit = "-2G"', "below zero", "leave it out"),
    option("a limit of a kill below zero", "c.LocalSpawner.kill_timeout = -1", "below", "leave it"),
)
