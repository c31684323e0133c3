"""The fsspec filesystem of a storage account, by the account's address and a login.

fsspec imports it by the entry point ``greyhubazure``, in notebooks and on workers.
"""

from __future__ import annotations

from typing import Any

from adlfs import AzureBlobFileSystem
from azure.storage.blob.aio import BlobServiceClient, ExponentialRetry

from greyhub.azureml.storage import PROTOCOL, account_name, trusting


class AccountFilesystem(AzureBlobFileSystem):  # type: ignore[misc]
    """adlfs, to which no variable of the environment says where, or with which key.

    Parameters
    ----------
    account_url : str
        The account's address for blobs.
    ca_bundle : str
        A file of certificates that vouch for the account's; the system's otherwise.
    options
        Those of adlfs; ``credential`` may be a `greyhub.credentials.HubCredential`.
    """

    protocol = (PROTOCOL, *AzureBlobFileSystem.protocol)

    def __init__(self, account_url: str, ca_bundle: str = "", **options: Any) -> None:
        self.url, self.ca_bundle = account_url.rstrip("/"), ca_bundle
        super().__init__(account_name=account_name(account_url), **options)

    def do_connect(self) -> None:
        """Connect by the address alone."""
        self.account_url = self.url
        self.service_client = BlobServiceClient(
            self.url,
            credential=self.credential or self.account_key,
            # By default it waits for 15 s first.
            retry_policy=ExponentialRetry(initial_backoff=1, increment_base=2, retry_total=3),
            **trusting(self.ca_bundle),
        )

    def _open(self, path: str, *how: Any, size: int | None = None, **options: Any) -> Any:
        """An open file; with ``size`` where one is opened anew after pickling."""
        # adlfs would keep the size among the file's options, and it could not be pickled again.
        return super()._open(path, *how, **options)
