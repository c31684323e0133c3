"""The filesystem that ``hub.home`` is.

Whatever store a home is on, it keeps the same promises: a file appears whole or
not at all, a name is taken as it is, no path leads out, and nothing is shown
from memory. What a store cannot do is refused; ``can`` tells.
"""

from __future__ import annotations

import errno
import io
import os
import threading
from collections.abc import Mapping
from html import escape
from typing import IO, Any

from fsspec.core import get_compression
from fsspec.utils import tokenize

from greyhub.homespace import paths
from greyhub.homespace.reader import Reader
from greyhub.homespace.secret_references import Secrets, check_url
from greyhub.homespace.stores import CAPABILITIES, Store, open_store
from greyhub.homespace.stores.errors import FileChanged, refusal
from greyhub.homespace.transfer import Paths, Transfers, listed
from greyhub.homespace.writer import TextWriter, Writer

__all__ = ["CAPABILITIES", "FileChanged", "Home"]

_TEXT = ("encoding", "errors", "newline")


class Home(Transfers):
    """A place on some store as a fsspec filesystem rooted there.

    Parameters
    ----------
    url : str
        A local directory, or the home's URL.
    storage_options : Mapping[str, Any], optional
        Options of the store's filesystem. A secret stands there as a reference,
        ``{"env": "NAME"}`` or ``{"file": "/path"}``, and is read when it is needed.
    patience : float
        Seconds to go on asking a store that is busy or does not answer.

    Raises
    ------
    ValueError
        A secret itself stands in the URL or the options.
    """

    protocol = "greyhub-home"
    root_marker = ""
    cachable = False  # a home is one user's: nobody is handed another one's

    def __init__(
        self,
        url: str,
        storage_options: Mapping[str, Any] | None = None,
        patience: float = 60.0,
    ) -> None:
        self._here = threading.local()
        super().__init__()
        check_url(url)
        self.url, self.options, self.patience = url, dict(storage_options or {}), patience
        self._opened: tuple[int, Store] | None = None
        self.can = self.store.can

    @property
    def store(self) -> Store:
        """The store, opened anew in a process that was forked."""
        if self._opened is None or self._opened[0] != os.getpid():
            store = open_store(self.url, Secrets(self.options), self.patience)
            self._opened = (os.getpid(), store)
        return self._opened[1]

    # A transaction is the affair of the thread that began it.

    @property
    def _intrans(self) -> bool:
        return getattr(self._here, "intrans", False)

    @_intrans.setter
    def _intrans(self, value: bool) -> None:
        self._here.intrans = value

    @property
    def _transaction(self) -> Any:
        return getattr(self._here, "transaction", None)

    @_transaction.setter
    def _transaction(self, value: Any) -> None:
        self._here.transaction = value

    # Names

    @property
    def _fs_token(self) -> str:
        return str(tokenize(type(self), self.url, self.options))

    @property
    def fsid(self) -> str:
        """The same for every object that shows this home."""
        return f"greyhub-{self._fs_token}"

    @property
    def path(self) -> str:
        """The home's directory on this machine, or its URL."""
        return self.url.removeprefix("file://")

    # Reading and writing

    def open(
        self,
        path: str,
        mode: str = "rb",
        block_size: Any = None,
        cache_options: Any = None,
        compression: str | None = None,
        **kwargs: Any,
    ) -> Any:
        """A file: ``r``, ``w``, ``a`` and ``x``, with ``b`` or ``t``.

        What is written appears when the file is closed, and not at all if its
        ``with`` block raises. ``match`` is the version that may be replaced.
        """
        if "r" in mode:
            return super().open(path, mode, block_size, cache_options, compression, **kwargs)
        if compression is not None:
            kwargs["encoder"] = get_compression(str(path), compression)
        text = {key: kwargs.pop(key) for key in _TEXT if key in kwargs}
        file = super().open(path, mode.replace("b", "").replace("t", "") + "b", **kwargs)
        return file if "b" in mode else TextWriter(file, **text)

    def _open(self, path: str, mode: str = "rb", block_size: Any = None, **kwargs: Any) -> Any:
        path = self._path(path)
        if mode == "rb":
            cache = {key: kwargs.get(key) for key in ("cache_type", "cache_options")}
            return Reader(self, path, self.store, block_size, **cache)
        if mode not in ("wb", "ab", "xb"):
            raise NotImplementedError(f"mode {mode!r}: a file is read, or written anew")
        match, encoder = kwargs.get("match"), kwargs.get("encoder")
        self._require({"ab": "append", "xb": "exclusive_create"}.get(mode))
        self._require("conditional_write" if match is not None else None)
        if mode == "xb" and self.exists(path):
            raise refusal(errno.EEXIST, path)
        return Writer(self, path, self.store, mode, kwargs.get("autocommit", True), match, encoder)

    def _require(self, capability: str | None) -> None:
        if capability is not None and capability not in self.can:
            raise self.store.lacks(capability)

    def pipe_file(
        self,
        path: str,
        value: bytes,
        mode: str = "overwrite",
        match: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Write a whole file: with ``mode="create"`` a new one, with ``match`` over a version."""
        self._put(path, io.BytesIO(value), mode, match)

    def _put(self, path: str, body: IO[bytes], mode: str, match: str | None = None) -> None:
        if mode not in ("create", "overwrite"):
            raise ValueError(f"mode {mode!r} is neither 'create' nor 'overwrite'")
        exclusive = mode == "create"
        if self._intrans:
            with self.open(path, "xb" if exclusive else "wb", match=match) as file:
                while chunk := body.read(self.store.block):
                    file.write(chunk)
            return
        self._require("exclusive_create" if exclusive else None)
        self._require("conditional_write" if match is not None else None)
        self.store.put(self._path(path), body, exclusive=exclusive, match=match)

    def cat_file(
        self, path: str, start: int | None = None, end: int | None = None, **kwargs: Any
    ) -> bytes:
        """The bytes of a file, all from one version; negative positions count from its end."""
        return self.store.read(self._path(path), start, end)

    def touch(self, path: str, truncate: bool = True, **kwargs: Any) -> None:
        """Make a file empty; with ``truncate=False``, only set its time if there is one."""
        if truncate or not self.exists(path):
            return self.pipe_file(path, b"")
        self._require("touch")
        self.store.touch(self._path(path))

    # Directories, moving and removing

    def mkdir(self, path: str, create_parents: bool = True, **kwargs: Any) -> None:
        """Make a directory."""
        path = self._path(path)
        if not create_parents and not self.isdir(path.rpartition("/")[0]):
            raise refusal(errno.ENOENT, path)
        self.makedirs(path)

    def makedirs(self, path: str, exist_ok: bool = False) -> None:
        """Make a directory and those above it."""
        path = self._path(path)
        if not path and exist_ok:
            return self.store.make_root()
        try:
            if not path:
                raise refusal(errno.EEXIST, path, "the home is there")
            self.store.make_directory(path)
        except FileExistsError:
            if not exist_ok or not self.isdir(path):
                raise

    def rmdir(self, path: str) -> None:
        """Remove an empty directory."""
        self.store.remove_directory(self._not_root(path))

    def rm_file(self, path: str) -> None:
        """Remove a file."""
        self.store.remove(self._not_root(path))

    _rm = rm_file

    def rm(self, path: Paths, recursive: bool = False, maxdepth: int | None = None) -> None:
        """Remove what has exactly this name; recursive, a directory with all in it."""
        several = listed(path)
        for each in [path] if several is None else several:
            name = self._not_root(each)
            entry = self.store.info(name)
            if entry.type != "directory" or entry.destination is not None:
                self.store.remove(name)
            elif not recursive:
                raise refusal(errno.EISDIR, name, "a directory: rm(..., recursive=True) removes it")
            elif maxdepth is None:
                self.store.remove_tree(name)
            else:
                for file in self.find(name, maxdepth=maxdepth):
                    self.store.remove(file)

    def mv(
        self,
        path1: Paths,
        path2: str,
        recursive: bool = False,
        maxdepth: int | None = None,
        **kwargs: Any,
    ) -> None:
        """Move a file or a directory, into a directory if the target is one."""
        if (several := listed(path1)) is not None:
            for each in several:
                self.mv(each, f"{path2}/{paths.base(self._path(each))}")
            return
        source, target = self._not_root(path1), self._path(path2)
        entry = self.store.info(source)
        if source == target:
            return
        if str(path2).endswith("/") or self.isdir(target):
            target = paths.join(target, paths.base(source))
        if f"{target}/".startswith(f"{source}/"):
            raise refusal(errno.EINVAL, source, "a directory does not move into itself")
        kind = self._type(target)
        if kind == "directory":
            raise refusal(errno.EEXIST, target, "there is a directory of this name")
        if kind and entry.type == "directory":
            raise refusal(errno.ENOTDIR, target)
        self.store.move(source, target)

    def _not_root(self, path: Any) -> str:
        found = self._path(path)
        if not found:
            raise refusal(errno.EPERM, "", "the home itself is not moved or removed")
        return found

    # What a home that is a working copy has to say

    def sync(self, timeout: float = 300.0) -> Mapping[str, Any]:
        """Wait until the home is saved; here it is, for what is written is written to it."""
        return self.status()

    def status(self) -> Mapping[str, Any]:
        """How the home is doing."""
        return {"saved": True, "word": "saved", "unsaved": 0, "paths": [], "home": self.path}

    # For people

    def __repr__(self) -> str:
        try:
            return f"<home at {self.path}: {len(self.ls('', detail=False))} entries>"
        except Exception as error:
            return f"<home at {self.path}: {error}>"

    def _repr_html_(self) -> str:
        try:
            names = sorted(self.ls("", detail=False))
        except Exception as error:
            names = [str(error)]
        rows = "".join(f"<li>{escape(name)}</li>" for name in names)
        return f"<strong>home at {escape(self.path)}</strong><ul>{rows}</ul>"
