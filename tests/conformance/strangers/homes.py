"""Homes that others have written, as they are: fsspec's filesystems below a user's folder.

What each claims is what its documentation offers, whether it keeps it or not.
"""

import os
from pathlib import Path

from fsspec.implementations.dirfs import DirFileSystem

from greyhub.conformance.homespace import Directory, HomespaceSuite, full_disk
from greyhub.names import filename
from tests.conformance.homespace.stores import OnAzure, OnS3, OnSFTP, OnStore, OnWebDAV

NONE_SUCH = "fsspec has no such thing"
AT_ONCE = "nothing is kept from the last look"
EVERYTHING = set(HomespaceSuite.contract.capabilities)


class FoldersFirst(DirFileSystem):
    """What a client does whose server makes no folder by itself."""

    def _folder_of(self, path):
        if folder := path.rpartition("/")[0]:
            self.makedirs(folder, exist_ok=True)

    def open(self, path, mode="rb", *args, **kwargs):
        if "r" not in mode:
            self._folder_of(path)
        return super().open(path, mode, *args, **kwargs)

    def pipe_file(self, path, *args, **kwargs):
        self._folder_of(path)
        return super().pipe_file(path, *args, **kwargs)

    def pipe(self, path, value=None, **kwargs):
        for each in path if isinstance(path, dict) else [path]:
            self._folder_of(each)
        return super().pipe(path, value, **kwargs)

    def touch(self, path, **kwargs):
        self._folder_of(path)
        return super().touch(path, **kwargs)

    def cp_file(self, path1, path2, **kwargs):
        self._folder_of(path2)
        return super().cp_file(path1, path2, **kwargs)

    def mv(self, path1, path2, **kwargs):
        self._folder_of(path2)
        return super().mv(path1, path2, **kwargs)


def declined(**reasons):
    """The capabilities that are claimed, and those that are not."""
    return EVERYTHING - set(reasons), reasons


def local(user, root):
    from fsspec.implementations.local import LocalFileSystem

    path = os.path.join(root, filename(user))
    os.makedirs(path, exist_ok=True)
    return DirFileSystem(path=path, fs=LocalFileSystem(auto_mkdir=True))


def memory(user):
    from fsspec.implementations.memory import MemoryFileSystem

    return DirFileSystem(path=f"/homes/{filename(user)}", fs=MemoryFileSystem())


def s3(user, endpoint, bucket, key_file, secret_file):
    from s3fs import S3FileSystem

    filesystem = S3FileSystem(
        key=Path(key_file).read_text(),
        secret=Path(secret_file).read_text(),
        endpoint_url=endpoint,
        client_kwargs={"region_name": "us-east-1"},
    )
    return DirFileSystem(path=f"{bucket}/h/{filename(user)}", fs=filesystem)


def azure(user, endpoint, sas_file):
    from adlfs import AzureBlobFileSystem

    said = f"BlobEndpoint={endpoint};SharedAccessSignature={Path(sas_file).read_text()}"
    filesystem = AzureBlobFileSystem(connection_string=said)
    return DirFileSystem(path=f"homes/h/{filename(user)}", fs=filesystem)


def sftp(user, root, port, username, key_filename):
    from fsspec.implementations.sftp import SFTPFileSystem

    how = {"username": username, "key_filename": key_filename}
    filesystem = SFTPFileSystem("127.0.0.1", port=port, **how, allow_agent=False)
    filesystem.makedirs(f"{root}/{filename(user)}", exist_ok=True)
    return FoldersFirst(path=f"{root}/{filename(user)}", fs=filesystem)


def webdav(user, endpoint, password_file):
    from webdav4.fsspec import WebdavFileSystem

    filesystem = WebdavFileSystem(endpoint, auth=("ada", Path(password_file).read_text()))
    filesystem.makedirs(filename(user), exist_ok=True)
    return FoldersFirst(path=filename(user), fs=filesystem)


class Local(OnStore):
    """fsspec's LocalFileSystem."""

    adapter = staticmethod(local)
    mode = "real"
    parts = ("fsspec",)
    claims, declines = declined(
        conditional_write=NONE_SUCH,
        credentials="a directory is opened by its owner's uid alone",
        permissions="fsspec leaves modes to the umask",
        remote="a directory is on this machine",
        staleness=AT_ONCE,
    )

    def serve(self):
        self.root = self.scratch / "deep" / "homes"

    def config(self):
        return {"make": {"root": str(self.root)}}

    def raw(self, user):
        return Directory(self.root / user)

    def location(self, user):
        return str(self.root / user)

    def fault(self, kind, moment, **how):
        return full_disk()


class Memory(OnStore):
    """fsspec's MemoryFileSystem."""

    adapter = staticmethod(memory)
    mode = "real"
    parts = ("fsspec",)
    claims, declines = declined(
        conditional_write=NONE_SUCH,
        credentials="it is a dictionary",
        permissions="it is a dictionary",
        remote="it is a dictionary",
        staleness=AT_ONCE,
        symlinks="it is a dictionary",
    )

    def serve(self):
        from fsspec.implementations.memory import MemoryFileSystem

        self.stack.callback(MemoryFileSystem.store.clear)

    def raw(self, user):
        from tests.conformance.homespace.stores import Held
        from tests.homespace.filesystem.places import Dictionary

        return Held(Dictionary(), f"homes/{user}")

    def location(self, user):
        return f"/homes/{user}"


class S3(OnS3):
    """s3fs."""

    adapter = staticmethod(s3)
    claims, declines = declined(
        conditional_write=NONE_SUCH,
        permissions="S3 has users of its own",
        staleness="listings are kept, without an end, and no time is said",
        symlinks="S3 has none",
    )


class Azure(OnAzure):
    """adlfs."""

    # Azure's client waits 15 seconds and more before it asks again.
    patience = 3.0
    adapter = staticmethod(azure)
    claims, declines = declined(
        conditional_write=NONE_SUCH,
        permissions="Azure has users of its own",
        staleness="listings are kept, without an end, and no time is said",
        symlinks="Azure has none",
    )


class SFTP(OnSFTP):
    """fsspec's SFTPFileSystem.

    It makes no folder by itself: a client makes them first here.
    """

    adapter = staticmethod(sftp)
    parts = ("fsspec", *OnSFTP.parts)
    claims, declines = declined(
        conditional_write=NONE_SUCH,
        exclusive_create="SFTPFileSystem does not name it",
        permissions="it leaves modes to the server",
        staleness=AT_ONCE,
    )

    def sweep(self):
        # One connection is for one clause: what has hung stays hung.
        from fsspec.implementations.sftp import SFTPFileSystem

        SFTPFileSystem.clear_instance_cache()
        super().sweep()


class WebDAV(OnWebDAV):
    """webdav4's WebdavFileSystem.

    It makes no folder by itself: a client makes them first here.
    """

    adapter = staticmethod(webdav)
    claims, declines = declined(
        append="WebdavFileSystem does not name it",
        conditional_write=NONE_SUCH,
        exclusive_create="WebdavFileSystem does not name it",
        permissions="the server has users of its own",
        staleness=AT_ONCE,
        symlinks="WebDAV has none",
    )
