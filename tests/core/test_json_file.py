"""JSON files that are written whole or not at all."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from greyhub.json_file import write_json


def test_a_file_is_replaced_and_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "table.json"
    for value in ({"ada": 1}, {"ada": 1, "bob": 2}):
        write_json(path, value)
        assert json.loads(path.read_text()) == value
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["table.json"]


def test_what_cannot_be_written_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "table.json"
    write_json(path, {"ada": 1})
    with pytest.raises(TypeError):
        write_json(path, {"ada": 1, "bob": object()})
    assert json.loads(path.read_text()) == {"ada": 1}
    assert [each.name for each in tmp_path.iterdir()] == ["table.json"]
