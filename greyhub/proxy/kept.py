"""configurable-http-proxy that goes on while its hub starts again.

JupyterHub ends the proxy of a hub that was killed, and starts one that has no routes until
the hub has started: for seconds, notebooks lose their connections, and JupyterLab tells its
users that their server or their files are gone.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
from jupyterhub.proxy import ConfigurableHTTPProxy
from tornado.ioloop import PeriodicCallback
from traitlets import default

from greyhub.kept_secret import kept_secret
from greyhub.process_note import ProcessNote, digest_of, read_note, write_note


class KeptProxy(ConfigurableHTTPProxy):  # type: ignore[misc]
    """Takes over the proxy of the hub before, where it was started with the same settings."""

    @default("auth_token")
    def _kept_token(self) -> str:
        """The same for each hub that starts here, so that it can speak to an earlier one's."""
        given = os.environ.get("CONFIGPROXY_AUTH_TOKEN", "")
        wanted = self.should_start and self.pid_file and not given
        return kept_secret(self._beside("token")) if wanted else given

    def _beside(self, what: str) -> Path:
        return Path(self.pid_file).with_suffix(f".{what}")

    def _wanted(self) -> str:
        """Tells a proxy with these settings from others."""
        values = [
            self.command,
            self.public_url,
            self.api_url,
            self.hub.url,
            self.log_level,
            self.app.subdomain_host,
            self.auth_token,
            *self._tls(),
        ]
        return digest_of(values)

    def _tls(self) -> Iterator[Any]:
        for path in (self.ssl_key, self.ssl_cert):
            yield path
            yield Path(path).stat().st_mtime if path else None

    async def start(self) -> None:
        """Take over the proxy that runs, or start one."""
        if self.pid_file and not self.app.internal_ssl:  # whose certificates may be new
            with suppress(OSError):
                noted = read_note(self._beside("json"))
                if noted and noted.wanted == self._wanted() and await self._take_over(noted):
                    return
        await super().start()
        if self.pid_file:
            with suppress(psutil.Error):  # a system that does not tell when it was started
                write_note(self._beside("json"), self.proxy_process.pid, self._wanted())

    def _forget(self) -> None:
        Path(self.pid_file).unlink(missing_ok=True)

    async def _take_over(self, noted: ProcessNote) -> bool:
        running = _Running(noted)
        if running.poll() is not None:
            return False
        try:
            async with asyncio.timeout(5):
                await self.get_all_routes()
        except Exception as error:
            self.log.warning("The proxy of the hub before does not answer: %r", error)
            await running.kill()
            self._forget()
            return False
        self.log.info("Going on with the proxy of the hub before, at %s", self.public_url)
        self.proxy_process = running
        self._write_pid_file()
        self._check_running_callback = PeriodicCallback(
            self.check_running, 1e3 * self.check_running_interval
        )
        self._check_running_callback.start()
        return True


class _Running:
    """A process that another hub has started, as JupyterHub asks of a `subprocess.Popen`."""

    def __init__(self, noted: ProcessNote) -> None:
        self.pid, self._noted = noted.pid, noted

    def poll(self) -> int | None:
        return None if self._noted.alive else 0

    def terminate(self) -> None:
        if self.poll() is None:
            os.kill(self.pid, signal.SIGTERM)

    async def kill(self) -> None:
        """End it at once, and wait until it is gone."""
        async with asyncio.timeout(5):
            while self.poll() is None:
                os.kill(self.pid, signal.SIGKILL)
                await asyncio.sleep(0.05)
