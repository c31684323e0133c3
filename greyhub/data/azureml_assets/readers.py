"""Make Intake's reader of one version of a data asset, by the user's own login.

To make it asks whether the data is there, and looks into a folder or an MLTable file; the
data itself is read by the reader.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from greyhub.azureml.storage import PROTOCOL, code_of, in_words, no_answer
from greyhub.data import installed
from greyhub.data.azureml_assets import formats, mltable
from greyhub.data.azureml_assets.formats import Format
from greyhub.data.azureml_assets.uris import Blob, URIs
from greyhub.data.document import Fault
from greyhub.errors import ConfigError, CredentialError

T = TypeVar("T")


@dataclass(frozen=True)
class Readers:
    """Makes readers of one version.

    Parameters
    ----------
    uris : URIs
        Where the data of URIs is.
    storage_options : callable
        The options of fsspec's for a blob.
    lineage : mapping
        What the reader is to know of where it is from.
    """

    uris: URIs
    storage_options: Callable[[Blob], dict[str, Any]]
    lineage: Mapping[str, Any]

    def reader(self, kind: str, blob: Blob) -> Any:
        """A reader of what is there.

        Raises
        ------
        ValueError
            It cannot be read: says why.
        Fault
            It is not there, or the account does not let this user in.
        """
        if kind == "uri_file":
            self._info(blob, "say whether it is there")
            how = formats.FORMATS.get(formats.suffix(blob.path), formats.BYTES)
            return self._made(how, blob.url, blob)
        if kind == "uri_folder":
            return self._folder(blob)
        if kind == "mltable":
            return self._table(blob)
        raise ValueError(f"it is of the type {kind!r}, which is not known")

    def at(self, blob: Blob) -> Any:
        """A reader of a file or a folder, whichever is there; raises as `reader`."""
        found = self._info(blob, "say what is there")
        return self.reader("uri_folder" if found["type"] == "directory" else "uri_file", blob)

    def filesystem(self, folder: Blob) -> Any:
        """A reader that gives all files below; raises as `reader`."""
        self._info(folder, "say whether it is there")
        return self._made(_FILESYSTEM, folder.url, folder)

    def _folder(self, folder: Blob) -> Any:
        how = formats.FORMATS.get(formats.suffix(folder.path))
        if how and how.many == "folder":  # its name says it: there may be many files in it
            self._info(folder, "say whether it is there")
            return self._made(how, folder.url, folder)
        found = self._files(folder)
        how = formats.of_files(found)
        if how.many == "folder":
            group = formats.group_of(found)
            return self._made(how, f"{PROTOCOL}://{group}" if group else folder.url, folder)
        return self._made(how, _urls(found) if how.many != "no" else _urls(found)[0], folder)

    def _table(self, folder: Blob) -> Any:
        file = folder.below(mltable.FILE)
        if (self._info(file, "read it")["size"] or 0) > mltable.LARGEST:
            raise ValueError(f"its MLTable file has more than {mltable.LARGEST} bytes")
        said = mltable.parse(self._ask(file, "read it", lambda files: files.cat_file(file.key)))
        found: list[str] = []
        for kind, path in said.paths:
            inner = self.uris.find(path) if "://" in path else folder.below(path)
            if inner.account_url != folder.account_url:
                raise ValueError(f"its MLTable file names another storage account: {path}")
            found += self._matching(kind, inner)
        how = Format("FileData", formats.TABLE, "", needs=said.needs, how=said.how)
        return self._made(how, _urls(found), folder)

    def _matching(self, kind: str, blob: Blob) -> list[str]:
        if kind == "file":
            return [blob.key]
        if kind == "folder":
            return self._files(blob)
        found = self._ask(blob, "list it", lambda files: files.glob(blob.key))
        if not found:
            raise ValueError(f"its MLTable file has a pattern that fits nothing: {blob.path}")
        return sorted(found)

    def _files(self, folder: Blob) -> list[str]:
        """The data below a folder, each as container and path."""
        found = self._ask(folder, "list it", lambda files: files.find(folder.key))
        if not found:
            raise Fault(f"is not there: there is nothing below {folder.address}", fix=_GONE)
        return sorted(each for each in found if formats.is_data(each))

    def _info(self, file: Blob, doing: str) -> Mapping[str, Any]:
        return self._ask(file, doing, lambda files: files.info(file.key, refresh=True))

    def _made(self, how: Format, url: str | list[str], blob: Blob) -> Any:
        """The reader of Intake's."""
        import intake
        from intake.readers import datatypes

        name = how.reader if ":" in how.reader else f"intake.readers.readers:{how.reader}"
        cls = intake.import_name(name)
        if absent := installed.absent(sorted({*cls.imports, *how.needs})):
            raise ImportError(f"needs {', '.join(absent)}", name=", ".join(absent))
        if how.reader == formats.TABLE and isinstance(url, str):
            url = [url]
        options = self.storage_options(blob)
        data = getattr(datatypes, how.datatype)(url=url, storage_options=options)
        metadata = {"azureml": {**self.lineage, "url": blob.address}}
        return cls(data, metadata=metadata, **how.how)

    def _ask(self, blob: Blob, doing: str, ask: Callable[[Any], T]) -> T:
        """What the account answers, or in words why it does not."""
        import fsspec

        try:
            return ask(fsspec.filesystem(PROTOCOL, **self.storage_options(blob)))
        except FileNotFoundError:
            raise Fault(f"is not there: there is no {blob.address}", fix=_GONE) from None
        except ConfigError as error:
            raise Fault(f"cannot be opened: {error.what}", fix=error.fix) from None
        except CredentialError as error:
            what, _, fix = str(error).partition("\n  fix: ")
            raise Fault(f"cannot be opened: {what}", fix=fix) from None
        except Exception as error:
            raise _in_words(error, blob, doing) from None


_FILESYSTEM: Final = Format(
    "FileData", "greyhub.data.azureml_assets.filesystem:FilesystemReader", ""
)


def _urls(keys: Sequence[str]) -> list[str]:
    return [f"{PROTOCOL}://{each}" for each in keys]


SECRETS: Final = {
    "AccountKey": "the account's key",
    "Sas": "a shared access signature",
    "ServicePrincipal": "the secret of an application",
    "Certificate": "the certificate of an application",
}
"""By what jobs open a datastore, where they do so by a secret of its own."""

_GONE: Final = "ask who looks after this asset: its data was moved or deleted"


def _causes(error: BaseException) -> Iterator[BaseException]:
    while (error := error.__cause__) is not None:  # type: ignore[assignment]
        yield error


def _in_words(error: Exception, blob: Blob, doing: str) -> Fault:
    """What went wrong at the account, without what headers and addresses hold."""
    from azure.core.exceptions import AzureError

    causes = [error, *_causes(error)]
    answer = next((each for each in causes if getattr(each, "status_code", None)), error)
    status = getattr(answer, "status_code", None)
    if status:
        said = in_words(code_of(answer), status)
    else:
        said = no_answer(next((each for each in causes if isinstance(each, AzureError)), error))
    if status in (401, 403) or isinstance(error, PermissionError):
        if blob.credentials in SECRETS:
            said += f"; jobs read the datastore {blob.datastore} by {SECRETS[blob.credentials]}, "
            said += "which is given to no user"
        return Fault(
            f"cannot be read: the storage account gives your login no right to {blob.address}: "
            f"{said}",
            fix="ask who looks after the storage account for the role Storage Blob Data Reader; a "
            "new role counts after some minutes",
        )
    return Fault(
        f"cannot be opened: {blob.account_url} did not {doing}: {said}",
        fix="try again in a moment; if it goes on, ask who looks after the storage account",
    )
