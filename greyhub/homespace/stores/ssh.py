"""One SSH connection with a pool of SFTP channels.

A channel answers one thread at a time; a server lets one connection have about
ten of them.
"""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import paramiko

CHANNELS = 4
SILENCE = 30.0
"""Seconds without an answer after which the connection counts as lost."""

POLICIES = {
    "reject": paramiko.RejectPolicy,
    "auto_add": paramiko.AutoAddPolicy,
    "warning": paramiko.WarningPolicy,
}


class Channel:
    """One SFTP channel and whose turn it is."""

    def __init__(self, sftp: Any) -> None:
        self.sftp = sftp
        self.lock = threading.RLock()
        sftp.get_channel().settimeout(SILENCE)


class Connection:
    """A connection to an SFTP server.

    Parameters
    ----------
    options : Mapping[str, Any]
        What `paramiko.SSHClient.connect` takes, with ``host``, and of ours:
        ``host_key``, the server's public key as a line of known_hosts has it, and
        ``host_key_policy`` for a key that neither this nor the user's known_hosts
        tells: ``reject`` by default.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        given = {"timeout": 10, "banner_timeout": 15, "auth_timeout": 15, **options}
        host, line = given.pop("host"), given.pop("host_key", None)
        policy = given.pop("host_key_policy", "reject")
        self.ssh = paramiko.SSHClient()
        self.ssh.load_system_host_keys()
        self.ssh.set_missing_host_key_policy(POLICIES[policy]())
        if line:
            kind, content = line.split()[:2]
            key = paramiko.PKey.from_type_string(kind, base64.b64decode(content))
            port = given.get("port", 22)
            name = host if port == 22 else f"[{host}]:{port}"
            self.ssh.get_host_keys().add(name, kind, key)
        try:
            self.ssh.connect(host, **given)
        except BaseException:
            self.ssh.close()
            raise
        self._channels: list[Channel] = []
        self._lock = threading.Lock()
        self._turn = 0

    @contextmanager
    def channel(self) -> Iterator[Channel]:
        """A channel for this thread alone: a free one, a new one, or the next in turn."""
        channel = self._free() or self._next()
        try:
            yield channel
        finally:
            channel.lock.release()

    def _free(self) -> Channel | None:
        with self._lock:
            for channel in self._channels:
                if channel.lock.acquire(blocking=False):
                    return channel
            if len(self._channels) >= CHANNELS:
                return None
            try:
                channel = Channel(self.ssh.open_sftp())
            except paramiko.ChannelException:
                if not self._channels:
                    raise
                return None  # the server allows no more
            channel.lock.acquire()
            self._channels.append(channel)
            return channel

    def _next(self) -> Channel:
        with self._lock:
            self._turn += 1
            channel = self._channels[self._turn % len(self._channels)]
        channel.lock.acquire()
        return channel

    def close(self) -> None:
        """End the connection and every call that waits for it."""
        self.ssh.close()
