"""A user's home on the toy store, as a filesystem of fsspec."""

from __future__ import annotations

import errno
import glob
import os
from typing import Any

from fsspec import AbstractFileSystem
from fsspec.utils import stringify_path

from greyhub.names import filename

from .client import Client
from .files import Reader, Text, Writer

TEXT = ("encoding", "errors", "newline")


class ToyHome(AbstractFileSystem):  # type: ignore[misc]
    """A user's files. Folders are only in their names.

    Parameters
    ----------
    user : str
        Whose home it is; the name is never taken as a path.
    url, token_file : str
        See `Client`.
    """

    protocol = "toy"
    root_marker = ""

    def __init__(self, user: str, url: str, token_file: str) -> None:
        super().__init__()
        self.user, self.root = user, f"homes/{filename(user)}/"
        self.client = Client(url, token_file)

    @classmethod
    def _strip_protocol(cls, path: Any) -> Any:
        if isinstance(path, list):
            return [cls._strip_protocol(each) for each in path]
        parts = stringify_path(path).removeprefix("toy://").split("/")
        if ".." in parts:
            raise PermissionError(errno.EACCES, "the path leads out of the home", path)
        return "/".join(part for part in parts if part not in ("", "."))

    def key(self, path: str) -> str:
        """Where a path is in the store."""
        return self.root + path

    # looking

    def entries(self, prefix: str) -> list[dict[str, Any]]:
        """The files whose path begins so."""
        found = self.client.list(self.key(prefix))
        return [
            {**each, "name": each["name"].removeprefix(self.root), "type": "file"} for each in found
        ]

    def info(self, path: str, **kwargs: Any) -> dict[str, Any]:
        """What is at a path."""
        path = self._strip_protocol(path)
        folder = {"name": path, "size": 0, "type": "directory"}
        if not path:
            return folder
        found = self.entries(path)
        for each in found:
            if each["name"] == path:
                return each
        if any(each["name"].startswith(f"{path}/") for each in found):
            return folder
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)

    def exists(self, path: str, **kwargs: Any) -> bool:
        """Whether there is something; an error is no answer."""
        try:
            self.info(path)
        except (FileNotFoundError, NotADirectoryError):
            return False
        return True

    def ls(self, path: str, detail: bool = True, **kwargs: Any) -> list[Any]:
        """What a folder holds."""
        path = self._strip_protocol(path)
        start = f"{path}/" if path else ""
        found: dict[str, dict[str, Any]] = {}
        for each in self.entries(start):
            name, below, _ = each["name"][len(start) :].partition("/")
            folder = {"name": start + name, "size": 0, "type": "directory"}
            found[start + name] = folder if below else each
        if not found and path:
            found[path] = self.info(path)
        return list(found.values()) if detail else list(found)

    def modified(self, path: str) -> Any:
        """When a file was written."""
        from datetime import UTC, datetime

        return datetime.fromtimestamp(self.info(path)["mtime"], UTC)

    # reading and writing

    def open(self, path: str, mode: str = "rb", *args: Any, **kwargs: Any) -> Any:
        """A file; of text, one that a failed writer does not publish either."""
        if "b" in mode or "r" in mode:
            return super().open(path, mode, *args, **kwargs)
        text = {key: kwargs.pop(key) for key in TEXT if key in kwargs}
        binary = super().open(path, mode.replace("t", "") + "b", *args, **kwargs)
        return Text(binary, **text)

    def _open(self, path: str, mode: str = "rb", *args: Any, **kwargs: Any) -> Any:
        if mode == "rb":
            return Reader(self.cat_file(path))
        if mode not in ("wb", "ab", "xb"):
            raise NotImplementedError(f"mode {mode!r}")
        if mode == "xb" and self.exists(path):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path)
        return Writer(self, path, mode, kwargs.get("autocommit", True))

    def cat_file(
        self, path: str, start: int | None = None, end: int | None = None, **kwargs: Any
    ) -> bytes:
        """The bytes of a file."""
        return self.client.get(self.key(self._strip_protocol(path)))[start:end]

    def pipe_file(
        self,
        path: str,
        value: bytes,
        mode: str = "overwrite",
        match: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Write a whole file: with ``mode="create"`` a new one, with ``match`` over a version."""
        kind = "xb" if mode == "create" else "wb"
        with Writer(self, path, kind, not self._intrans, match=match) as file:
            file.write(value)
        if self._intrans:
            self.transaction.files.append(file)

    def publish(self, path: str, content: bytes, mode: str, match: str | None = None) -> None:
        """Let a file appear whole."""
        path = self._strip_protocol(path)
        self.free(path)
        key = self.key(path)
        if mode == "xb":
            if not self.client.put(key, content, new=True):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path)
        elif mode == "ab":
            while not self.added(path, content):
                pass  # another one was faster
        elif not self.client.put(key, content, over=match):
            raise OSError(errno.ESTALE, "the file was changed meanwhile", path)

    def added(self, path: str, content: bytes) -> bool:
        """Add to the version that there is; whether it still was."""
        key = self.key(path)
        for each in self.entries(path):
            if each["name"] == path:
                return self.client.put(key, self.client.get(key) + content, over=each["version"])
        return self.client.put(key, content, new=True)

    def free(self, path: str) -> None:
        """Refuse what would be both a file and a folder."""
        for each in self.entries(path.partition("/")[0]):
            if path.startswith(each["name"] + "/"):
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)
            if each["name"].startswith(f"{path}/"):
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)

    def touch(self, path: str, truncate: bool = True, **kwargs: Any) -> None:
        """Make a file empty, or only new."""
        keep = not truncate and self.exists(path)
        self.pipe_file(path, self.cat_file(path) if keep else b"")

    # copying, moving and removing

    def expand_path(self, path: Any, **kwargs: Any) -> Any:
        """As fsspec's, but a name that is there stands for itself."""
        several = path if isinstance(path, list) else [path]
        literal = [glob.escape(each) if self.exists(each) else each for each in several]
        return super().expand_path(literal, **kwargs)

    def cp_file(self, path1: str, path2: str, **kwargs: Any) -> None:
        """Copy a file; a folder is there with its first file."""
        source, target = self._strip_protocol(path1), self._strip_protocol(path2)
        if self.info(source)["type"] == "file":
            self.free(target)
            self.client.copy(self.key(source), self.key(target))

    def mv(self, path1: Any, path2: str, recursive: bool = False, **kwargs: Any) -> None:
        """Move a file or a folder. The source goes when the target is there."""
        source, target = self._strip_protocol(path1), self._strip_protocol(path2)
        found = self.info(source)
        if f"{target}/".startswith(f"{source}/"):
            raise OSError(errno.EINVAL, "nothing moves into itself", target)
        self.free(target)
        below = [found] if found["type"] == "file" else self.entries(f"{source}/")
        for each in below:
            place = target + each["name"].removeprefix(source)
            self.client.copy(self.key(each["name"]), self.key(place))
        for each in below:
            self.client.delete(self.key(each["name"]))

    def rm_file(self, path: str) -> None:
        """Remove a file."""
        self.client.delete(self.key(self._strip_protocol(path)))

    _rm = rm_file

    def rm(self, path: Any, recursive: bool = False, maxdepth: int | None = None) -> None:
        """Remove what has this name, and nothing that it would match."""
        for each in path if isinstance(path, list) else [path]:
            name = self._strip_protocol(each)
            if self.info(name)["type"] == "file":
                self.rm_file(name)
            elif not recursive or not name:
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), name)
            else:
                for entry in self.entries(f"{name}/"):
                    self.rm_file(entry["name"])
