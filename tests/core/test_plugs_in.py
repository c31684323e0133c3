"""Spawners that others have written, as they are: a server starts, and its notebook connects."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

import greyhub
from tests.conformance.strangers.accounts import NAME, Account, hindrance
from tests.conformance.strangers.slurm import Slurm
from tests.support.hubs import Hub, running
from tests.support.processes import ended
from tests.support.waiting import until

ROOT = Path(__file__).parents[2]

pytestmark = [pytest.mark.slow, pytest.mark.processes]

COMMON = """\
c.GreyHub.homespace = None
c.LocalData.catalogs = ["catalog.yaml"]
c.JupyterHub.ip = "127.0.0.1"
c.Spawner.args = ["--allow-root"]
"""

CATALOG = """\
version: 2
entries:
  note:
    reader: intake.readers.readers:FileTextReader
    kwargs: {data: "{data(note-file)}"}
data:
  note-file:
    datatype: intake.readers.datatypes:Text
    kwargs: {url: "{CATALOG_DIR}/note.txt"}
"""


@pytest.fixture(autouse=True)
def path(monkeypatch: pytest.MonkeyPatch) -> None:
    """What starts servers elsewhere finds their command by its name."""
    scripts = str(Path(sys.executable).parent)
    monkeypatch.setenv("PATH", f"{scripts}{os.pathsep}{os.environ['PATH']}")


def server(hub: Hub, user: str) -> psutil.Process:
    """The process of a server of this hub, whatever started it, wherever."""
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            environment = process.environ()
            mine = f":{hub.hub_port}/" in environment.get("JUPYTERHUB_API_URL", "")
            if mine and environment.get("JUPYTERHUB_SERVICE_PREFIX") == f"/user/{user}/":
                return process
    raise AssertionError(f"no process is {user}'s server\n{hub.tail()}")


def works(directory: Path, config: str, user: str = "ada", **options: str) -> None:
    """A person's server starts, its notebook finds every slot, and it is gone when stopped."""
    (directory / "catalog.yaml").write_text(CATALOG)
    (directory / "note.txt").write_text("kept")
    with running(directory, COMMON + config) as hub:
        hub.api("POST", f"users/{user}")
        hub.api("POST", f"users/{user}/server", json=options)
        hub.spawn(user)
        process = server(hub, user)
        platform = greyhub.connect(environ=process.environ())
        assert list(platform.data) == ["note"]
        assert platform.data["note"].read() == "kept"
        with platform.cluster(workers=1) as cluster:
            cluster.scale(1)
        hub.stop_server(user)
        until(lambda: ended(process.pid), 60, "the end of the server")


def test_simple_local_process_spawner(directory: Path) -> None:
    homes = str(directory / "homes/{username}")
    (directory / "homes").mkdir()
    works(
        directory,
        'c.GreyHub.spawner = "simple"\n'
        f"c.SimpleLocalProcessSpawner.home_dir_template = {homes!r}\n",
    )


def test_profiles_spawner_of_wrapspawner(directory: Path) -> None:
    homes = str(directory / "homes/{username}")
    (directory / "homes").mkdir()
    works(
        directory,
        'c.GreyHub.spawner = "wrapspawner.ProfilesSpawner"\n'
        'c.ProfilesSpawner.profiles = [("Here", "here", '
        '"jupyterhub.spawner.SimpleLocalProcessSpawner", {})]\n'
        'c.Spawner.env_keep = ["PATH"]\n'
        f"c.SimpleLocalProcessSpawner.home_dir_template = {homes!r}\n",
        profile="here",
    )


def test_slurm_spawner_of_batchspawner(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    (directory / "slurm").mkdir()
    said = Slurm(directory / "slurm").command
    single = Path(sys.executable).with_name("batchspawner-singleuser")
    works(
        directory,
        'c.GreyHub.spawner = "tests.conformance.strangers.slurm.spawner.AccountlessSlurmSpawner"\n'
        'c.JupyterHub.hub_ip = "0.0.0.0"\n'
        'c.BatchSpawnerBase.exec_prefix = ""\n'
        'c.BatchSpawnerBase.req_srun = ""\n'
        f"c.BatchSpawnerBase.batch_submit_cmd = {said('sbatch --parsable')!r}\n"
        "c.BatchSpawnerBase.batch_query_cmd = "
        f"{said('squeue -h -j {job_id} -o %T')!r}\n"
        f"c.BatchSpawnerBase.batch_cancel_cmd = {said('scancel {job_id}')!r}\n"
        f"c.BatchSpawnerBase.batchspawner_singleuser_cmd = {str(single)!r}\n"
        f"c.Spawner.cmd = [{str(single.with_name('greyhub-singleuser'))!r}]\n",
    )


@pytest.mark.root
@pytest.mark.skipif(bool(hindrance("sudo")), reason=str(hindrance("sudo")))
def test_sudospawner(directory: Path) -> None:
    account = Account()
    try:
        script = account.folder / "sudospawner"
        script.symlink_to(Path(sys.executable).with_name("sudospawner"))
        server = account.folder / "sudospawner-singleuser"
        single = Path(sys.executable).with_name("greyhub-singleuser")
        server.write_text(f'#!/bin/sh\nexec {single} "$@"\n')
        server.chmod(0o755)
        works(
            directory,
            'c.GreyHub.spawner = "sudospawner.SudoSpawner"\n'
            f"c.SudoSpawner.sudospawner_path = {str(script)!r}\n",
            NAME,
        )
    finally:
        account.close()
