"""HOME-042: a home is pickled to another process, and survives a fork."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from greyhub.conformance.contract import MUST, clause
from greyhub.conformance.homespace.case import HomespaceCase
from greyhub.conformance.testkit.fork import Fork

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem


@clause("HOME-042", MUST, hooks="raw", budget=20)
def pickles_to_a_worker(case: HomespaceCase) -> None:
    """A home is pickled to a worker process and works there; it should survive a fork, too.

    It has been used before, and the worker has a working directory of its own.
    """
    home, backend = case.home(), case.backend()
    home.pipe_file("folder/file", b"by the owner")
    home.names("folder")
    home.read("folder/file")

    def use(filesystem: AbstractFileSystem) -> tuple[str, list[str]]:
        read = filesystem.cat_file("folder/file").decode()
        filesystem.pipe_file("folder/written", b"by the worker")
        return read, sorted(filesystem.ls("folder", detail=False))

    read, names = case.in_worker("the home", use, home.fs, env=os.environ, cwd=case.directory)
    case.equal(read, "by the owner", "the worker reads")
    case.equal(names, ["folder/file", "folder/written"], "the worker sees")
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
