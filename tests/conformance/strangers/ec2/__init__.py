"""EC2 on this machine: moto answers its API, and each instance runs what it is asked to run."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests

_CLONE_NEWNET = 0x40000000
_TOOLS = ("ip", "setpriv", "unshare")


def missing() -> str:
    """Why there can be no instances here, or nothing."""
    if os.geteuid() != 0:
        return "needs root, for network namespaces"
    absent = [tool for tool in _TOOLS if not shutil.which(tool)]
    return f"needs {', '.join(absent)}" if absent else ""


class Region:
    """A region of EC2, from now until it is closed.

    Its instances are processes in a network of their own, which the thread that
    makes it joins until it closes it. All of it ends with this process, however that ends.
    """

    def __init__(self) -> None:
        self._network = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        _libc("unshare", _CLONE_NEWNET)
        alone = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
        self._process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *alone, sys.executable, "-m", f"{__name__}.serve"],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout
        self.url = self._process.stdout.readline().strip()
        if not self.url:
            raise RuntimeError("no region came up")

    def close(self) -> None:
        """End it, and all that runs in it."""
        self._process.kill()
        self._process.communicate()
        _libc("setns", self._network, _CLONE_NEWNET)
        os.close(self._network)

    def instances(self) -> list[dict[str, Any]]:
        """Those that are not terminated, by ``id``, ``tags``, and ``commands`` to run."""
        found: list[dict[str, Any]] = self._ask("GET", "instances")
        return found

    def terminate(self, instance: str) -> None:
        """End an instance, as a machine that fails."""
        self._ask("DELETE", f"instances/{instance}")

    @contextmanager
    def fault(self, **kind: Any) -> Iterator[None]:
        """While a block lasts: ``most``, of instances; ``absent``, what no image has."""
        self._ask("PUT", "fault", kind)
        try:
            yield
        finally:
            self._ask("PUT", "fault", {})

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        answer = requests.request(method, f"{self.url}/simulator/{path}", json=body, timeout=60)
        answer.raise_for_status()
        return answer.json()


def _libc(function: str, *arguments: int) -> None:
    # Python has these from 3.12 on.
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, function)(*arguments):
        raise OSError(ctypes.get_errno(), f"{function}: {os.strerror(ctypes.get_errno())}")
