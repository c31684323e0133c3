"""A process per user on the hub's own machine."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from greyhub.adapter import Contribution, Finding
from greyhub.errors import AdapterError
from greyhub.spawners import SpawnerAdapter


class LocalSpawnerAdapter(SpawnerAdapter):
    """Tells the hub of `greyhub.spawners.server.LocalSpawner`."""

    modules = ("psutil",)
    extra = "greyhub[local]"

    @classmethod
    def opens(cls, value: object) -> None:
        """Nothing: a Spawner class is the base class's."""
        return None

    def load_class(self) -> type:
        """The Spawner class."""
        from greyhub.spawners.server import LocalSpawner

        return LocalSpawner

    @property
    def isolated(self) -> bool:
        """Whether each user's server runs under a uid of its own."""
        return os.geteuid() == 0

    def contribute(self) -> Contribution:
        """The Spawner class, named servers, a queue instead of a refusal."""
        if self.isolated:
            self._require_readable()
        return Contribution(
            config={
                "JupyterHub": {
                    "spawner_class": self.load_class(),
                    "cleanup_servers": False,
                    "allow_named_servers": True,
                    "concurrent_spawn_limit": 0,
                },
                "LocalSpawner": {"state_dir": str(self.parent.private)},
            }
        )

    def _require_readable(self) -> None:
        """Servers under other uids need an interpreter and packages that these can read."""
        if all(map(_open_to_all, (sys.executable, __file__, _origin("jupyterhub")))):
            return
        # The modes say no, and an access list may say yes. The last uid there is owns nothing here.
        probe = [sys.executable, "-c", "import greyhub.singleuser, jupyterhub._version"]
        try:
            subprocess.run(
                probe,
                user=65534,
                group=65534,
                extra_groups=[],
                cwd="/",
                check=True,
                capture_output=True,
                env={"PATH": os.defpath},
                timeout=30,
            )
        except (OSError, subprocess.SubprocessError) as error:
            detail = getattr(error, "stderr", b"") or str(error).encode()
            raise AdapterError(
                f"the interpreter {sys.executable} or its packages cannot be read by the uids "
                f"of the users: {detail.decode(errors='replace').strip().splitlines()[-1]}",
                where='c.GreyHub.spawner = "local", run by root',
                fix="install Python and greyhub where every user can read them, such as "
                "/srv/greyhub, or run the hub as an ordinary user",
            ) from error

    async def check(self) -> Sequence[Finding]:
        """Whether users are kept apart, and the server's command is there."""
        findings = []
        if not self.isolated:
            findings.append(
                Finding(
                    "note",
                    f"all servers run as {account()}: users can read each other's files and "
                    "environment, and reach each other's servers",
                    "run the hub as root, or choose another spawner, where users must be apart",
                )
            )
        else:
            findings.append(Finding("ok", "each user's server runs under its own uid"))
        return findings

    def label(self) -> str:
        """Whether users share an account."""
        if self.isolated:
            return "a process per user, each under its own uid"
        return f"a process per user, all as {account()}: users are not kept apart"


def _origin(module: str) -> str:
    spec = find_spec(module)
    return spec.origin or "" if spec else ""


def _open_to_all(file: str) -> bool:
    """Whether by their modes every account can read a file, and pass the directories above it."""
    try:
        path = Path(file).resolve()
        above = all(each.stat().st_mode & 0o001 for each in (*path.parents, *Path(file).parents))
        return above and bool(path.stat().st_mode & 0o004)
    except OSError:
        return False


def account() -> str:
    """The name of the account that the hub runs as."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return f"uid {os.geteuid()}"
