"""One account of the system, made for a run by root, which stands for every user's.

The names that the suite gives its users are no names of accounts: whoever asks for the
account of one of them is told of this.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from contextlib import ExitStack
from pathlib import Path
from unittest import mock

STEM = "greyhub-conform"
NAME = f"{STEM}-{os.getpid()}"
"""Each process has an account of its own."""

SUDO = """#!/bin/sh
# sudo -u USER … as the account that stands for all
shift 2
exec {sudo} -u {name} "$@"
"""


def hindrance(*programs: str) -> str:
    """Why no account can be made here, or nothing."""
    if os.geteuid():
        return "needs root, to make an account of the system"
    missing = [each for each in ("useradd", "userdel", *programs) if not shutil.which(each)]
    return f"needs {', '.join(missing)}" if missing else ""


class Account:
    """The account, from its making until `close`."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="greyhub-account-"))
        self.folder.chmod(0o755)
        self.stack = ExitStack()
        self.stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
        try:
            self.stack.callback(_remove)
            _remove()  # what a run that was killed has left
            home = self.folder / "home"
            made = ["useradd", "--system", "--create-home", "--skel", "/dev/null"]
            subprocess.run([*made, "--home-dir", home, "--shell", "/bin/sh", NAME], check=True)
            home.chmod(0o700)
            mine = pwd.getpwnam(NAME)
            self.stack.enter_context(mock.patch.object(pwd, "getpwnam", return_value=mine))
        except BaseException:
            self.close()
            raise

    def stand_in_for_sudo(self) -> None:
        """Let ``sudo -u NAME`` mean the account, for whom this process starts."""
        place = self.folder / "bin"
        place.mkdir()
        script = place / "sudo"
        script.write_text(SUDO.format(sudo=shutil.which("sudo"), name=NAME))
        script.chmod(0o755)
        path = f"{place}{os.pathsep}{os.environ['PATH']}"
        self.stack.enter_context(mock.patch.dict(os.environ, {"PATH": path}))

    def close(self) -> None:
        """Remove the account, with its home."""
        self.stack.close()


def _remove() -> None:
    for each in pwd.getpwall():
        stem, _, number = each.pw_name.rpartition("-")
        if stem != STEM or (each.pw_name != NAME and Path(f"/proc/{number}").exists()):
            continue
        command = ["userdel", "--force", each.pw_name]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"the account {each.pw_name} could not be removed: {done.stderr}")
