"""dask-gateway's own server, on two ports of this machine."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CONFIG = Path(__file__).with_name("config.py")


class Gateway:
    """A server with its proxy, from now until it is closed."""

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory(
            prefix="greyhub-gateway-", ignore_cleanup_errors=True
        )
        ports = _free(), _free()
        self.url = f"http://127.0.0.1:{ports[1]}"
        environment = {
            **os.environ,
            "GATEWAY_PORT": str(ports[0]),
            "GATEWAY_PUBLIC_PORT": str(ports[1]),
            "GATEWAY_FOLDER": self.folder.name,
        }
        self.log = Path(self.folder.name) / "gateway.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "dask_gateway_server", "-f", str(CONFIG)],
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._wait(ports[1])

    @contextmanager
    def breaking(self, what: str, script: str) -> Iterator[None]:
        """Let every scheduler, or every worker, run a script first, while a block lasts."""
        path = Path(self.folder.name) / f"{what}.py"
        path.write_text(script)
        try:
            yield
        finally:
            path.unlink()

    def close(self) -> None:
        """End the server, which ends its proxy."""
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.folder.cleanup()

    def _wait(self, port: int) -> None:
        import requests

        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                if requests.get(f"{self.url}/api/health", timeout=2).status_code == 200:
                    return
            except requests.RequestException:
                pass
            time.sleep(0.1)
        raise RuntimeError(f"no gateway came up: {self.log.read_text()[-2000:]}")


def _free() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
