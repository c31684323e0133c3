"""A real hub for the tests: `jupyterhub -f greyhub_config.py` and its real proxy."""

from __future__ import annotations

import os
import re
import secrets
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

import psutil
import requests

from greyhub.ticket import Ticket, variable
from tests.support.ports import free_port
from tests.support.processes import command, ended, environment, started_in
from tests.support.waiting import MINUTE, until

TAIL = 60


class Hub:
    """One hub in a directory: its config, its ports, its process.

    Parameters
    ----------
    directory : Path
        Where the config file and the state are.
    config : str
        Lines for the config file, above ``greyhub.compose(c)``.
    account : int, optional
        The uid to run as; by default the tests' own.
    arguments : tuple of str
        More for the command line.
    interpreter : str
        The Python to run it with; by default, the tests' own.
    compose : str
        The end of the config file.
    umask : int
        The hub's; by default the tests' own.
    """

    def __init__(
        self,
        directory: Path,
        config: str = "",
        *,
        account: int | None = None,
        arguments: tuple[str, ...] = (),
        interpreter: str = sys.executable,
        compose: str = "import greyhub\ngreyhub.compose(c)",
        umask: int = -1,
    ) -> None:
        self.umask = umask
        self.directory, self.account, self.arguments = directory, account, arguments
        self.interpreter = interpreter
        self.port, self.hub_port, self.proxy_port = (free_port() for _ in range(3))
        self.token = secrets.token_hex(16)
        self.process: subprocess.Popen[bytes] | None = None
        self.log = directory / "hub.log"
        self.file = directory / "greyhub_config.py"
        directory.mkdir(parents=True, exist_ok=True)
        self.file.write_text(
            textwrap.dedent(
                f"""\
                c = get_config()
                c.JupyterHub.port = {self.port}
                c.JupyterHub.hub_port = {self.hub_port}
                c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{self.proxy_port}"
                c.JupyterHub.services = [{{"name": "tests", "api_token": "{self.token}"}}]
                c.JupyterHub.load_roles = [{{"name": "tests", "services": ["tests"], "scopes": [
                    "admin:users", "admin:servers", "tokens", "access:servers", "proxy",
                    "read:hub", "list:services",
                ]}}]
                """
            )
            + textwrap.dedent(config)
            + "\n"
            + compose
            + "\n"
        )
        if account is not None:
            for path in (directory, self.file):
                os.chown(path, account, account)

    @property
    def url(self) -> str:
        """The public address, with a slash at its end."""
        return f"http://127.0.0.1:{self.port}/"

    @property
    def state(self) -> Path:
        """The state directory."""
        return self.directory / "greyhub-state"

    @property
    def password(self) -> str:
        """The password that the hub made."""
        return (self.state / "hub/password").read_text()

    def run(self) -> subprocess.Popen[bytes]:
        """Start the process; do not wait."""
        environ = {key: value for key, value in os.environ.items() if not key.startswith("JUPYTER")}
        options: dict[str, Any] = {}
        if self.account is not None:
            options = {"user": self.account, "group": self.account, "extra_groups": []}
            environ["HOME"] = str(self.directory)
            environ["XDG_CACHE_HOME"] = os.environ.get(
                "GREYHUB_TEST_CACHE", str(self.directory / ".cache")
            )
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [self.interpreter, "-m", "jupyterhub", "-f", str(self.file), *self.arguments],
                cwd=self.directory,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=environ,
                umask=self.umask,
                **options,
            )
        return self.process

    def start(self) -> Hub:
        """Start, and wait until the hub runs and answers."""
        before = self.log.stat().st_size if self.log.exists() else 0
        process = self.run()

        def up() -> bool:
            if process.poll() is not None:
                raise AssertionError(f"the hub ended: {process.returncode}\n{self.tail()}")
            # It answers a while before it has started its services and made all routes.
            if b"JupyterHub is now running" not in self.log.read_bytes()[before:]:
                return False
            try:
                return requests.get(f"{self.url}hub/health", timeout=MINUTE).ok
            except requests.RequestException:
                return False

        until(up, 90, "the hub's health")
        return self

    def refused(self) -> str:
        """Start where a start must be refused; what the hub said."""
        process = self.run()
        try:
            process.wait(MINUTE)
        except subprocess.TimeoutExpired as error:
            self.stop()
            raise AssertionError(f"the hub started\n{self.tail()}") from error
        assert process.returncode != 0
        return self.log.read_text()

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End the hub's process by a signal; servers go on."""
        if self.process is None:
            return
        self.process.send_signal(how)
        self.process.wait(MINUTE)
        self.process = None

    @contextmanager
    def running(self, *users: str) -> Iterator[Self]:
        """It runs within the block, with a server for each of these, and leaves nothing behind."""
        try:
            self.start()
            for user in users:
                self.spawn(user)
            yield self
        finally:
            self.end()

    def end(self) -> None:
        """End everything that was started here."""
        self.stop()
        mine = list(started_in(self.directory))
        for process in mine:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        until(lambda: all(ended(each.pid) for each in mine), what="the end of all that it started")

    def proxy(self) -> psutil.Process | None:
        """The process of its configurable-http-proxy."""
        with suppress(OSError, psutil.NoSuchProcess):
            found = psutil.Process(int((self.state / "hub/proxy.pid").read_text()))
            return found if not ended(found.pid) else None
        return None

    def tail(self) -> str:
        """The last lines of the log."""
        return "\n".join(self.log.read_text().splitlines()[-TAIL:])

    def api(self, method: str, path: str, **options: Any) -> Any:
        """Ask the hub's API as an administrator."""
        answer = requests.request(
            method,
            f"{self.url}hub/api/{path}",
            headers={"Authorization": f"token {self.token}"},
            timeout=2 * MINUTE,
            **options,
        )
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}\n{self.tail()}"
        return answer.json() if answer.content else None

    def server(self, user: str, name: str = "") -> dict[str, Any] | None:
        """The hub's model of a server, if it has one."""
        servers: dict[str, dict[str, Any]] = self.api("GET", f"users/{user}")["servers"]
        return servers.get(name)

    def answers(self, user: str) -> bool:
        """Whether the user's server answers behind the proxy."""
        reply = requests.get(
            f"{self.url}user/{user}/api/status",
            headers={"Authorization": f"token {self.token}"},
            timeout=MINUTE,
        )
        return reply.ok

    def spawn(self, user: str, name: str = "", limit: float = 120) -> dict[str, Any]:
        """Start a server if it is not there, and wait until it is ready."""
        if user not in [each["name"] for each in self.api("GET", "users")]:
            self.api("POST", f"users/{user}")
        if self.server(user, name) is None:
            self.api("POST", f"users/{user}/servers/{name}" if name else f"users/{user}/server")

        def ready() -> dict[str, Any] | None:
            model = self.server(user, name)
            assert model is not None, f"{user}'s server ended\n{self.tail()}"
            return model if model["ready"] else None

        model: dict[str, Any] = until(ready, limit, f"{user}'s server")
        return model

    def stop_server(self, user: str, name: str = "") -> None:
        """Stop a server, and wait until it is gone."""
        self.api("DELETE", f"users/{user}/servers/{name}" if name else f"users/{user}/server")
        until(lambda: self.server(user, name) is None, 60, f"the end of {user}'s server")

    def pid(self, user: str, name: str = "") -> int:
        """The process of a server, found in /proc and not asked of the hub."""
        prefix = f"/user/{user}/{name}/" if name else f"/user/{user}/"
        for process in started_in(self.directory):
            lines = environment(process).split("\0")
            line = " ".join(command(process))
            server = "greyhub.singleuser" in line or "greyhub-singleuser" in line
            if server and f"JUPYTERHUB_SERVICE_PREFIX={prefix}" in lines:
                return int(process.pid)
        raise AssertionError(f"no process has the prefix {prefix}")

    def environment(self, user: str, name: str = "") -> dict[str, str]:
        """The environment that a server was started with."""
        text = Path(f"/proc/{self.pid(user, name)}/environ").read_text()
        return dict(line.split("=", 1) for line in text.split("\0") if "=" in line)

    def ticket(self, user: str, slot: str, name: str = "") -> Ticket:
        """What a server was told of a slot."""
        return Ticket.loads(slot, self.environment(user, name)[variable(slot)])

    def login(self, user: str, password: str | None = None) -> requests.Session:
        """Log in by the form, as a browser does."""
        session = requests.Session()
        page = session.get(f"{self.url}hub/login", timeout=MINUTE)
        token = re.search(r'name="_xsrf"\s+value="([^"]+)"', page.text)
        assert token, page.text
        session.post(
            f"{self.url}hub/login",
            data={
                "username": user,
                "password": self.password if password is None else password,
                "_xsrf": token[1],
            },
            timeout=MINUTE,
        )
        return session


class SampleHub(Hub):
    """A hub of one of the samples in ``config/``, exactly as it stands there."""

    def __init__(self, directory: Path, sample: Path) -> None:
        super().__init__(directory)
        self.file = sample
        self.arguments = (
            f"--JupyterHub.port={self.port}",
            f"--JupyterHub.hub_port={self.hub_port}",
            f"--ConfigurableHTTPProxy.api_url=http://127.0.0.1:{self.proxy_port}",
            f"--GreyHub.state_dir={self.state}",
        )


@contextmanager
def running(directory: Path, config: str = "", **options: Any) -> Iterator[Hub]:
    """A hub that runs within the block, and leaves nothing behind."""
    with Hub(directory, config, **options).running() as hub:
        yield hub
