"""Spawners that others have written."""

import os
import shutil
import signal
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import psutil

from greyhub.conformance import Running, SpawnerSuite
from greyhub.conformance.spawner.case import PROBE
from greyhub.conformance.spawner.local_processes import Processes
from tests.conformance.strangers.accounts import Account, hindrance
from tests.conformance.strangers.slurm import Slurm

WHOSE = (
    "JUPYTERHUB_API_URL",
    "JUPYTERHUB_SERVER_NAME",
    "JUPYTERHUB_SERVICE_URL",
    "JUPYTERHUB_USER",
)
"""The variables that tell whose a process is: hub, server, run and user."""


class Simple(Processes, SpawnerSuite):
    """SimpleLocalProcessSpawner.

    Its backend is the kernel. One that is out of reach or fails for a moment is one that refuses
    what the hub asks of a process.
    """

    adapter = "jupyterhub.spawner:SimpleLocalProcessSpawner"
    marks = WHOSE
    config = {
        "SimpleLocalProcessSpawner": {
            "home_dir_template": "{directory}/{username}",
            "interrupt_timeout": 1,
            "term_timeout": 1,
        }
    }
    claims = {"internal_ssl", "named_servers"}
    declines = dict.fromkeys(
        SpawnerSuite.contract.capabilities.keys() - claims,
        "processes of this machine have nothing of the kind",
    )
    renames = {}
    stop_within = 10


class LocalProcess(Simple):
    """LocalProcessSpawner.

    Run by root. One account of the system, made for the run, stands for all users'. Its backend
    is the kernel, as SimpleLocalProcessSpawner's.
    """

    adapter = "jupyterhub.spawner:LocalProcessSpawner"
    config = {"LocalProcessSpawner": {"interrupt_timeout": 1, "term_timeout": 1}}
    declines = {**Simple.declines, "isolation": "one account stands for all users' here"}

    hindrance = staticmethod(hindrance)

    def prepare(self):
        self.account = Account()

    def cleanup(self):
        self.account.close()


class Sudo(LocalProcess):
    """SudoSpawner.

    Run by root, to whom sudo refuses nothing; one account of the system, made for the run, stands
    for all users'. Its backend is the kernel. One that fails lets no mediator be started.
    """

    adapter = "sudospawner:SudoSpawner"
    patience = 2.0  # to start and to end a server it begins an interpreter

    @staticmethod
    def hindrance():
        return hindrance("sudo")

    def prepare(self):
        super().prepare()
        self.account.stand_in_for_sudo()
        # What stands beside sudospawner is what it starts.
        folder = self.account.folder
        self.script = folder / "sudospawner"
        self.script.symlink_to(Path(sys.executable).with_name("sudospawner"))
        server = folder / "sudospawner-singleuser"
        server.write_text(f'#!/bin/sh\nexec {sys.executable} -I -S {PROBE} "$@"\n')
        server.chmod(0o755)

    def config(self):
        return {
            "SudoSpawner": {
                "sudospawner_path": str(self.script),
                "interrupt_timeout": 1,
                "term_timeout": 1,
            }
        }

    def fault(self, kind, moment, **how):
        # It is a mediator that ends a server: what can be refused is to start one.
        kind, moment = ("error", "create") if moment == "delete" else (kind, moment)
        return super().fault(kind, moment, **how)


class Batch(Processes, SpawnerSuite):
    """BatchSpawner's SlurmSpawner."""

    adapter = "tests.conformance.strangers.slurm.spawner:AccountlessSlurmSpawner"
    mode = "fake"
    marks = WHOSE
    parts = ("batchspawner",)
    claims = {"named_servers", "progress", "rejections"}
    declines = {
        **dict.fromkeys(
            SpawnerSuite.contract.capabilities.keys() - claims,
            "the stand-in for Slurm has nothing of the kind",
        ),
        "user_options": "which there are is for the administrator's template to say",
    }
    faults = ("unreachable", "throttled", "unavailable", "error", "rejected", "lost", "late")
    renames = {}
    stop_within = 15

    def prepare(self):
        self.folder = tempfile.mkdtemp(prefix="greyhub-slurm-")
        self.slurm = Slurm(Path(self.folder))

    def cleanup(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def config(self):
        said = self.slurm.command
        return {
            "AccountlessSlurmSpawner": {
                "exec_prefix": "",
                "batch_submit_cmd": said("sbatch --parsable"),
                "batch_query_cmd": said("squeue -h -j {job_id} -o '%T %B'"),
                "batch_cancel_cmd": said("scancel {job_id}"),
                "batchspawner_singleuser_cmd": self.slurm.start,
                "req_srun": "",
                "startup_poll_interval": 0.1,
            }
        }

    def alive(self):
        found = []
        for number, leader in self.slurm.jobs().items():
            with suppress(psutil.Error):  # it may end meanwhile
                labels = {**self._labels(leader), "SLURM_JOB_ID": number}
                found.append(Running(str(leader.pid), labels, leader.cmdline()))
        return found

    def kill(self, server):
        with suppress(ProcessLookupError):
            os.killpg(int(server.id), signal.SIGKILL)

    def fault(self, kind, moment, *, times=None, seconds=3.0):
        return self.slurm.fault(kind, moment, times, seconds)
