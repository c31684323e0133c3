"""A home's files seen without the adapter, for the hook ``raw``; homes that are directories."""

from __future__ import annotations

import os
import resource
import shutil
import time
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path


class Directory(MutableMapping[str, bytes]):
    """A home that is a directory, as a mapping from paths to contents.

    Parameters
    ----------
    root : str or Path
        The home. It need not be there.
    """

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)

    def __repr__(self) -> str:
        return f"Directory({str(self.root)!r})"

    def __getitem__(self, path: str) -> bytes:
        try:
            return (self.root / path).read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            raise KeyError(path) from None

    def __setitem__(self, path: str, content: bytes) -> None:
        """As another program would: a new file under its name."""
        place = os.path.join(self.root, path)
        building = os.path.join(os.path.dirname(place), f".raw-{os.getpid()}")
        try:
            file = open(building, "wb")  # noqa: SIM115
        except FileNotFoundError:
            os.makedirs(os.path.dirname(place), exist_ok=True)
            file = open(building, "wb")  # noqa: SIM115
        with file:
            file.write(content)
        os.replace(building, place)

    def __delitem__(self, path: str) -> None:
        try:
            (self.root / path).unlink()
        except FileNotFoundError:
            raise KeyError(path) from None

    def __iter__(self) -> Iterator[str]:
        for folder, _, files in os.walk(self.root):
            for name in files:
                yield os.path.relpath(os.path.join(folder, name), self.root)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def clear(self) -> None:
        """Remove all that the home holds, folders too."""
        if self.root.is_dir() and not self.root.is_symlink():
            for each in os.scandir(self.root):
                if each.is_dir(follow_symlinks=False):
                    shutil.rmtree(each.path, ignore_errors=True)
                else:
                    os.unlink(each.path)

    def age(self, path: str, seconds: float) -> None:
        """Make a file look as if nobody had touched it for so long."""
        then = time.time() - seconds
        os.utime(self.root / path, (then, then), follow_symlinks=False)

    def link(self, path: str, target: str) -> None:
        """Put a symbolic link."""
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(target)


def empty(raw: MutableMapping[str, bytes]) -> None:
    """Remove everything. What a mapping inherits for this looks at all of it for each file."""
    if type(raw).clear is not MutableMapping.clear:
        raw.clear()
        return
    for path in list(raw):
        del raw[path]


@contextmanager
def full_disk(room: int = 512) -> Iterator[None]:
    """Let no file of this process grow beyond so many bytes: as on a disk that is full.

    It is the kernel's own limit, so it holds for root too.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
