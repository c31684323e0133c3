"""HOME-042: a home is pickled to another process, and survives a fork."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from typing import TYPE_CHECKING

from greyhub.conformance.contract import MUST, clause
from greyhub.conformance.homespace.case import HomespaceCase
from greyhub.conformance.testkit.fork import Fork

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

WORKER = """
import json, pickle, sys
filesystem = pickle.load(open(sys.argv[1], "rb"))
read = filesystem.cat_file("folder/file").decode()
filesystem.pipe_file("folder/written", b"by the worker")
print(json.dumps({"read": read, "names": sorted(filesystem.ls("folder", detail=False))}))
"""


@clause("HOME-042", MUST, hooks="raw", budget=20)
def pickles_to_a_worker(case: HomespaceCase) -> None:
    """A home is pickled to a worker process and works there; it should survive a fork, too.

    It has been used before, and the worker has a working directory of its own.
    """
    home, backend = case.home(), case.backend()
    home.pipe_file("folder/file", b"by the owner")
    home.names("folder")
    home.read("folder/file")
    pickled = case.directory / "home.pickle"
    pickled.write_bytes(case.call("pickle", pickle.dumps, home.fs))
    paths = os.pathsep.join([os.getcwd(), *map(os.path.abspath, filter(None, sys.path))])
    case.did("unpickle it in a new process, read and write")
    done = subprocess.run(
        [sys.executable, "-c", WORKER, str(pickled)],
        env={**os.environ, "PYTHONPATH": paths},
        cwd=case.directory,
        capture_output=True,
        text=True,
        timeout=15 * case.patience,
        check=False,
    )
    case.saw(f"the worker says {done.stdout.strip()!r}")
    last = (done.stderr.strip().splitlines() or [""])[-1]
    case.require(done.returncode == 0, f"the worker failed: {last}")
    said = json.loads(done.stdout.splitlines()[-1])
    case.require(said["read"] == "by the owner", f"the worker reads {said['read']!r}")
    names = ["folder/file", "folder/written"]
    case.require(said["names"] == names, f"the worker sees {said['names']}")
    held = backend.get("folder/written")
    case.require(held == b"by the worker", "what the worker wrote is not in the backend")
    home.invalidate_cache()  # how soon it is seen is HOME-040's
    case.require(home.cat_file("folder/written") == held, "the owner does not read it")
    case.advise(_survives_fork(case, home.fs), "after a fork, it does not work in the child")


def _survives_fork(case: HomespaceCase, filesystem: AbstractFileSystem) -> bool:
    with Fork(lambda: filesystem.cat_file("folder/file")) as child:
        try:
            return bool(child.result(5 * case.patience) == b"by the owner")
        except Exception as error:
            case.saw(f"after a fork: {error!r}")
            return False
