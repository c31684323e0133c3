"""Any adapter may keep something of a user's, and is told when the user is deleted."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from traitlets.config import Config

from greyhub.data import DataAdapter
from greyhub.errors import HomeError
from greyhub.hub import GreyHub


class Keeps(DataAdapter):
    """A data adapter that keeps something for each user."""

    deleted: list[str] = []

    @property
    def deletes_with_user(self) -> bool:
        return True

    async def delete_user(self, username: str) -> None:
        self.deleted.append(username)


def user(*active: bool) -> Any:
    spawners = {str(n): SimpleNamespace(name=str(n), active=on) for n, on in enumerate(active)}
    return SimpleNamespace(name="ada", spawners=spawners)


async def test_an_adapter_of_any_slot_is_told(tmp_path: Any) -> None:
    greyhub = GreyHub(directory=tmp_path, config=Config({"GreyHub": {"data": Keeps}}))
    assert greyhub.problems == []
    with pytest.raises(HomeError, match="is in use"):
        await greyhub.delete_user(user(False, True))
    assert Keeps.deleted == []
    await greyhub.delete_user(user(False))
    assert Keeps.deleted == ["ada"]
