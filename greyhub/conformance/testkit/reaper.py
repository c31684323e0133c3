"""Reap the child processes of a hub that has crashed, as init would."""

from __future__ import annotations

import os
import threading
import time

import psutil

_adopted: set[int] = set()
_lock = threading.Lock()
_thread: threading.Thread | None = None


def adopt_children() -> None:
    """From now on, reap each present child of this process as soon as it has died.

    Without it, a process that a later hub has ended would stay a zombie, which
    looks alive to whoever asks by its pid.
    """
    global _thread
    with _lock:
        _adopted.update(child.pid for child in psutil.Process().children())
        if _adopted and (_thread is None or not _thread.is_alive()):
            _thread = threading.Thread(target=_reap, name="conformance-reaper", daemon=True)
            _thread.start()


def _reap() -> None:
    while True:
        with _lock:
            for pid in list(_adopted):
                try:
                    if os.waitpid(pid, os.WNOHANG)[0] == pid:
                        _adopted.discard(pid)
                except ChildProcessError:
                    _adopted.discard(pid)
            if not _adopted:
                return
        time.sleep(0.01)
