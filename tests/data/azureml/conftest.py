"""A simulated workspace with data on Azurite, and the hub of a notebook that reads it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.data.azureml.workspace import AssetHub, Workspace, workspace_in
from tests.homespace.azureml.account import Account, account, nothing_held

__all__ = ["account"]


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[AssetHub]:
    from greyhub.azureml.storage_filesystem import AccountFilesystem

    AccountFilesystem.clear_instance_cache()  # each has a token, to its end
    with AssetHub().serving() as made, nothing_held():
        for name, value in made.environment.items():
            monkeypatch.setenv(name, value)
        yield made


@pytest.fixture
def workspace(account: Account, hub: AssetHub, tmp_path: Path) -> Iterator[Workspace]:
    for name in [*account.client.get_container_client("homes").list_blob_names()]:
        account.oracle.delete(name)
    with workspace_in(tmp_path, account, hub) as made:
        yield made
