"""What a backup holds, and what is put back of it."""

from __future__ import annotations

import io
import json
import sqlite3
import stat
import tarfile
import threading
from contextlib import closing
from pathlib import Path

import pytest

from greyhub.backup import archive
from greyhub.backup.archive import BackupError, copy_database, read, write
from greyhub.backup.place import Place
from greyhub.backup.restoring import restore


@pytest.fixture
def private(tmp_path: Path) -> Path:
    """A state as a hub leaves it."""
    found = tmp_path / "state/hub"
    (found / "logs").mkdir(parents=True)
    (found / "logs/ada.log").write_text("much")
    (found / "proxy.pid").write_text("7")
    (found / "keys").mkdir()
    (found / "keys/one").write_bytes(b"\0key")
    (found / "keys/one").chmod(0o600)
    database(found / "jupyterhub.sqlite", "ada")
    return found


def database(path: Path, *users: str) -> None:
    with closing(sqlite3.connect(path)) as opened:
        opened.execute("create table users (name text)")
        opened.executemany("insert into users values (?)", [(user,) for user in users])
        opened.commit()


def users(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as opened:
        return [name for (name,) in opened.execute("select name from users")]


def backup(private: Path, beside: Path | None = None) -> io.BytesIO:
    found = io.BytesIO()
    write(found, private, beside)
    found.seek(0)
    return found


def test_it_holds_all_but_what_is_made_anew(private: Path) -> None:
    assert write(io.BytesIO(), private) == ["hub/jupyterhub.sqlite", "hub/keys/one"]


def test_what_was_there_is_kept_beside_what_is_put_back(private: Path) -> None:
    kept = backup(private)
    (private / "keys/one").write_bytes(b"another")
    former = restore(kept, private)
    assert (private / "keys/one").read_bytes() == b"\0key"
    assert stat.S_IMODE((private / "keys/one").stat().st_mode) == 0o600
    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    assert users(private / "jupyterhub.sqlite") == ["ada"]
    assert former is not None
    assert (former / "keys/one").read_bytes() == b"another"
    assert {each.name for each in private.parent.iterdir()} == {"hub", former.name}


def test_a_state_that_was_lost_is_put_back(private: Path) -> None:
    kept = backup(private)
    private.rename(private.with_name("gone"))
    assert restore(kept, private) is None
    assert users(private / "jupyterhub.sqlite") == ["ada"]


def test_a_database_elsewhere_is_part_of_it(private: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.sqlite"
    database(elsewhere, "bob")
    kept = backup(private, elsewhere)
    with pytest.raises(BackupError, match="not in the state"):
        restore(kept, private)
    kept.seek(0)
    elsewhere.unlink()
    database(elsewhere, "eve")
    restore(kept, private, elsewhere)
    assert users(elsewhere) == ["bob"]


def test_what_a_crashed_hub_left_in_a_journal_is_in_the_copy(private: Path) -> None:
    path = private / "clusters.sqlite"
    with closing(sqlite3.connect(path)) as opened:
        opened.execute("pragma journal_mode = wal")
        opened.execute("create table users (name text)")
        opened.execute("insert into users values ('grace')")
        opened.commit()
        assert path.with_name("clusters.sqlite-wal").stat().st_size
        kept = backup(private)
    restore(kept, private)
    assert users(path) == ["grace"]
    assert [each.name for each in private.glob("clusters*")] == ["clusters.sqlite"]


def test_a_copy_is_of_one_moment_and_keeps_nobody_from_writing(tmp_path: Path) -> None:
    """Two sums that are always equal, to a reader who sees no transaction in halves."""
    path, ended = tmp_path / "one.sqlite", threading.Event()
    with closing(sqlite3.connect(path)) as opened:
        opened.execute("create table accounts (id integer primary key, sum integer, rest blob)")
        opened.executemany(
            "insert into accounts values (?, 100, ?)", [(each, b"x" * 4000) for each in range(500)]
        )
        opened.commit()
    written, failed = [0], []

    def write_on() -> None:
        with closing(sqlite3.connect(path)) as mine:
            try:
                while not ended.is_set():
                    mine.execute("update accounts set sum = sum - 1 where id = 0")
                    mine.execute("update accounts set sum = sum + 1 where id = 499")
                    mine.commit()
                    written[0] += 1
            except sqlite3.Error as error:
                failed.append(error)

    writer = threading.Thread(target=write_on)
    writer.start()
    try:
        for each in range(10):
            copy_database(path, tmp_path / f"copy{each}")
    finally:
        ended.set()
        writer.join()
    assert not failed
    assert written[0]
    for each in range(10):
        with closing(sqlite3.connect(tmp_path / f"copy{each}")) as copy:
            found = copy.execute("select sum(sum), count(*) from accounts").fetchone()
        assert found == (50000, 500)


def test_a_damaged_database_is_no_backup(private: Path) -> None:
    path = private / "jupyterhub.sqlite"
    path.write_bytes(path.read_bytes()[:-4096] + b"\xff" * 4096)
    with pytest.raises(BackupError, match="cannot be copied"):
        backup(private)


def packed(**parts: bytes) -> io.BytesIO:
    found = io.BytesIO()
    with tarfile.open(fileobj=found, mode="w:gz") as opened:
        for name, content in parts.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            opened.addfile(entry, io.BytesIO(content))
    found.seek(0)
    return found


def about(*parts: str, **more: object) -> bytes:
    return json.dumps({"format": 1, "greyhub": "9.9", "parts": parts, **more}).encode()


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"hub/one": b"x"}, "not the whole"),
        ({"hub/one": b"x", archive.ABOUT: about("hub/one", "hub/two")}, "not the whole"),
        ({"../one": b"x", archive.ABOUT: about("../one")}, "no backup of greyhub's"),
        ({archive.ABOUT: about(format=2)}, "with that version"),
        ({archive.ABOUT: b"{"}, "no backup that can be read"),
        ({archive.ABOUT: about()}, "no state in this backup"),
        (
            {"hub/d": archive.SQLITE + b"x" * 99, archive.ABOUT: about("hub/d")},
            "no backup that can be read",
        ),
    ],
)
def test_what_is_no_backup_changes_nothing(
    parts: dict[str, bytes], said: str, private: Path
) -> None:
    with pytest.raises(BackupError, match=said):
        restore(packed(**parts), private)
    assert users(private / "jupyterhub.sqlite") == ["ada"]
    assert [each.name for each in private.parent.iterdir()] == ["hub"]


def test_one_that_was_cut_off_changes_nothing(private: Path, tmp_path: Path) -> None:
    kept = backup(private).getvalue()
    with pytest.raises(BackupError):
        read(io.BytesIO(kept[: len(kept) // 2]), tmp_path)


@pytest.mark.parametrize("kind", ["directory", "memory"])
def test_the_newest_are_kept_and_others_files_left_alone(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = str(tmp_path / "kept") if kind == "directory" else f"memory://{tmp_path.name}/kept"
    place, source = Place(where), tmp_path / "source"
    assert place.names() == []
    for each in range(4):
        source.write_text(str(each))
        stamp = f"greyhub-2026113{each}T000000Z.tar.gz"
        monkeypatch.setattr("greyhub.backup.place.time.strftime", lambda *_, now=stamp: now)
        assert place.put(source) == stamp
    place._store.pipe_file(f"{place._root}/greyhub-notes.txt", b"mine")
    assert len(place.prune(2)) == 2
    assert [name[14:16] for name in place.names()] == ["32", "33"]
    with place.open(place.names()[-1]) as file:
        assert file.read() == b"3"
    assert place._store.cat_file(f"{place._root}/greyhub-notes.txt") == b"mine"
    if kind == "directory":
        assert stat.S_IMODE((tmp_path / "kept").stat().st_mode) == 0o700
        modes = [stat.S_IMODE(each.stat().st_mode) for each in (tmp_path / "kept").glob("*.gz")]
        assert modes == [0o600, 0o600]


def test_a_password_in_a_url_is_refused_and_not_repeated() -> None:
    with pytest.raises(BackupError, match="FSSPEC_S3") as refused:
        Place("s3://ada:hunter2@backups/science")
    assert "hunter2" not in str(refused.value)


def test_a_store_that_is_not_known_is_told_of() -> None:
    with pytest.raises(BackupError, match="fix: install"):
        Place("nowhere://backups")
