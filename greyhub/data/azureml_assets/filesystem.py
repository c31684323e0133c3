"""All files of a datastore: an Intake reader that gives a file system of fsspec's."""

from __future__ import annotations

from typing import Any

from intake.readers.readers import FileReader


class FilesystemReader(FileReader):  # type: ignore[misc]
    """`read` gives a file system whose paths begin in a folder: ``ls``, ``open``, ``get_mapper``.

    It has the rights of the user's login: it can write where these can.
    """

    output_instance = "fsspec.implementations.dirfs:DirFileSystem"
    func = "greyhub.data.azureml_assets.filesystem:below"
    storage_options = True


def below(url: str, storage_options: Any = None) -> Any:
    """The file system below a URL."""
    from fsspec.core import url_to_fs
    from fsspec.implementations.dirfs import DirFileSystem

    files, path = url_to_fs(url, **(storage_options or {}))
    return DirFileSystem(path, files)
