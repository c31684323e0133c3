"""Machines, a store, and everything that can go wrong between them, from one seed.

Users on several machines write, rename and delete; other tools write into the
store; requests fail, replies get lost, machines are killed at any call of the
store, any change of the disk and any commit of the journal, clocks are days
apart. In the end, with all faults over, every content that nobody replaced or
deleted knowingly must be there, and all machines and the store must be alike.

``python -m tests.homespace.sync.model 0 1000`` runs a thousand seeds.
"""

from __future__ import annotations

import os
import random
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from greyhub.homespace.sync import pending_writes
from greyhub.homespace.sync.journal import Journal
from greyhub.homespace.sync.keys import RESERVED
from greyhub.homespace.sync.working_copy import WorkingCopy
from tests.homespace.sync.stores import Inline, MemoryStore, Ticker

NAMES = ("a", "b.txt", "c d", "é.ipynb")
FOLDERS = ("", "", "p/", "p/q/", "r/")
CHANGES = ("rename", "link", "replace", "unlink", "mkdir", "rmdir", "symlink", "utime", "chmod")


class Crash(BaseException):
    """The machine stops here, and nothing that would tidy up is run."""


class Faults:
    """What goes wrong for one machine."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.countdown: int | None = None
        self.dead = False
        self.rate = 0.0
        self.lost = 0.0
        self.meanwhile: Callable[[], None] | None = None
        self.points = 0

    def point(self, what: str) -> None:
        """A moment at which the machine may stop."""
        self.points += 1
        if self.countdown is not None:
            self.countdown -= 1
            if self.countdown <= 0:
                self.dead = True
        if self.dead:
            raise Crash(what)

    def store(self, when: str, operation: str, key: str) -> None:
        """The hook of the store."""
        self.point(f"{when} {operation} {key}")
        if when == "before" and self.meanwhile and self.chance.random() < 0.1:
            meanwhile, self.meanwhile = self.meanwhile, None
            meanwhile()
            self.meanwhile = meanwhile
        if self.chance.random() < (self.rate if when == "before" else self.lost):
            raise OSError(f"503 {when} {operation}")


@contextmanager
def watched(current: list[Faults]) -> Iterator[None]:
    """Every change of the disk and every commit is a moment at which a machine may stop."""
    real = {name: getattr(os, name) for name in CHANGES}
    changing, durable = Journal.changing, pending_writes.make_durable

    def wrap(name: str) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            if current:
                current[-1].point(f"before {name}")
            result = real[name](*args, **kwargs)
            if current:
                current[-1].point(f"after {name}")
            return result

        return call

    @contextmanager
    def commit(self: Journal) -> Iterator[Any]:
        outer = self._db.in_transaction
        with changing(self) as db:
            yield db
            if current and not outer:
                current[-1].point("before commit")
        if current and not outer:
            current[-1].point("after commit")

    try:
        for name in CHANGES:
            setattr(os, name, wrap(name))
        Journal.changing = commit  # type: ignore[method-assign, assignment]
        pending_writes.make_durable = lambda folder: None
        yield
    finally:
        for name, function in real.items():
            setattr(os, name, function)
        Journal.changing = changing  # type: ignore[method-assign]
        pending_writes.make_durable = durable


class Machine:
    """One server of the user, with its disk."""

    def __init__(self, world: World, name: str) -> None:
        self.world, self.name = world, name
        self.home, self.state = world.top / name / "home", world.top / name / "state"
        self.home.mkdir(parents=True)
        self.faults = Faults(world.chance)
        self.skew = world.chance.choice([0, 0, -3 * 86_400, 5 * 86_400])
        self.ticker = Ticker()
        self.copy: WorkingCopy | None = None

    def run(self, act: Callable[[WorkingCopy], None]) -> bool:
        """Do something with the working copy; false if the machine stopped or the store failed."""
        world = self.world
        world.current.append(self.faults)
        try:
            if self.copy is None:
                self.copy = WorkingCopy(
                    self.home,
                    world.store.view(self.faults.store),
                    self.state,
                    host=self.name,
                    workers=Inline(self.ticker),  # type: ignore[arg-type]
                    clock=lambda: 1.7e9 + self.skew + self.ticker.now,
                    ticker=self.ticker,
                )
                self.copy.context.journal.writer = f"{self.name}-{world.chance.random()}"
                try:
                    self.copy.restore(until=self.tired())
                except OSError:
                    self.stop()
                    raise
            act(self.copy)
            return True
        except Crash:
            self.stop()
            return False
        except OSError as error:
            if "503" not in str(error):
                raise
            return False
        finally:
            world.current.pop()

    def tired(self) -> Callable[[], bool]:
        """Give up after a while: with a failing store it may take for ever."""
        end = self.ticker.now + 20
        return lambda: self.ticker.now > end

    def stop(self) -> None:
        """Kill it: what it had in memory is gone."""
        if self.copy is not None:
            self.copy.close()
        self.copy = None
        self.faults.dead, self.faults.countdown = False, None

    def files(self) -> list[Path]:
        """All files and links of the home."""
        return sorted(
            Path(folder) / name
            for folder, folders, names in self.walk()
            for name in [*names, *(each for each in folders if (Path(folder) / each).is_symlink())]
        )

    def folders(self) -> list[Path]:
        """All folders of the home."""
        return sorted(Path(folder) for folder, _, _ in self.walk())[1:]

    def walk(self) -> Iterator[tuple[str, list[str], list[str]]]:
        for folder, folders, names in os.walk(self.home):
            if RESERVED in folders:
                folders.remove(RESERVED)
            yield folder, folders, names

    def tree(self) -> dict[str, Any]:
        """What a user sees of the home."""
        seen: dict[str, Any] = {}
        for path in self.files():
            name = str(path.relative_to(self.home))
            status = path.lstat()
            if path.is_symlink():
                seen[name] = ("link", os.readlink(path))
            else:
                seen[name] = ("file", path.read_bytes(), oct(status.st_mode & 0o777))
        for path in self.folders():
            seen[str(path.relative_to(self.home))] = ("folder", oct(path.stat().st_mode & 0o777))
        return seen


class World:
    """Everything, from one seed."""

    def __init__(self, seed: int, top: Path) -> None:
        self.chance = random.Random(seed)
        self.top = top
        self.current: list[Faults] = []
        self.store = MemoryStore(conditional=self.chance.random() < 0.8)
        self.machines = [Machine(self, f"m{n}") for n in range(self.chance.choice([1, 2, 2, 3]))]
        self.count = 0
        self.alive: dict[bytes, str] = {}
        """Contents that nobody replaced or deleted, and where they were written."""
        self.unsaved: dict[bytes, Machine] = {}
        """Those that are on one disk only, as far as anybody was told."""
        self.log: list[str] = []

    def content(self) -> bytes:
        self.count += 1
        return f"<{self.count}>".encode() + b"." * self.chance.choice([0, 10, 50])

    def over(self, data: bytes | None) -> None:
        """Somebody who saw this content replaced or deleted it."""
        if data is not None:
            self.alive.pop(data, None)
            self.unsaved.pop(data, None)

    # What users and other tools do.

    def user(self, machine: Machine) -> None:
        chance = self.chance
        actions = (
            [self.write] * 6
            + [self.delete] * 2
            + [
                self.rename,
                self.rename_folder,
                self.make_folder,
                self.link,
                self.chmod,
                self.hard_link,
                self.delete_folder,
                self.in_place,
            ]
        )
        action = chance.choice(actions)
        self.current.append(Faults(chance))  # the machine does not stop here
        try:
            said = action(machine)
            self.log.append(f"{machine.name}: {action.__name__} {said}")
        except OSError as error:
            self.log.append(f"{machine.name}: {action.__name__} {error}")
        finally:
            self.current.pop()

    def place(self, machine: Machine) -> Path:
        path = machine.home / (self.chance.choice(FOLDERS) + self.chance.choice(NAMES))
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def read(self, path: Path) -> bytes | None:
        return path.read_bytes() if path.is_file() and not path.is_symlink() else None

    def fresh(self, machine: Machine, data: bytes, path: Path) -> None:
        self.alive[data] = f"{machine.name}:{path.relative_to(machine.home)}"
        self.unsaved[data] = machine

    def last_name(self, path: Path) -> bool:
        return path.is_symlink() or path.stat().st_nlink == 1

    def write(self, machine: Machine) -> str:
        """As editors do: beside, then renamed into its place."""
        path, data = self.place(machine), self.content()
        old, last = self.read(path), path.exists() and self.last_name(path)
        beside = path.with_name(f".{path.name}.part")
        beside.write_bytes(data)
        try:
            beside.replace(path)
        except OSError:
            beside.unlink()
            raise
        self.over(old if last else None)
        self.fresh(machine, data, path)
        return f"{path} {data!r}"

    def in_place(self, machine: Machine) -> str:
        path, data = self.place(machine), self.content()
        if path.is_symlink():
            path.unlink()
        old = self.read(path)
        path.write_bytes(data)
        self.over(old)
        self.fresh(machine, data, path)
        if not self.last_name(path):
            self.over(data)  # with two names, its end is not one moment
        return f"{path} {data!r}"

    def delete(self, machine: Machine) -> str:
        path = self.chance.choice(machine.files() or [machine.home / "none"])
        old, last = self.read(path), path.exists() and self.last_name(path)
        path.unlink()
        self.over(old if last else None)
        return f"{path} {old!r}"

    def rename(self, machine: Machine) -> str:
        path = self.chance.choice(machine.files() or [machine.home / "none"])
        new = self.place(machine)
        old, last = self.read(new), new.exists() and self.last_name(new)
        same = new.exists() and os.path.samestat(new.lstat(), path.lstat())
        path.rename(new)
        self.over(old if last and not same else None)
        return f"{path} -> {new}"

    def rename_folder(self, machine: Machine) -> str:
        path = self.chance.choice(machine.folders() or [machine.home / "none"])
        new = self.place(machine).with_name(self.chance.choice(["p", "r", "s"]))
        path.rename(new)
        return f"{path} -> {new}"

    def make_folder(self, machine: Machine) -> str:
        path = self.place(machine)
        path.mkdir(mode=self.chance.choice([0o755, 0o700, 0o500]))
        return str(path)

    def delete_folder(self, machine: Machine) -> str:
        path = self.chance.choice(machine.folders() or [machine.home / "none"])
        gone = [self.read(p) for p in path.rglob("*") if p.is_file() and self.last_name(p)]
        shutil.rmtree(path)
        for data in gone:
            self.over(data)
        return str(path)

    def link(self, machine: Machine) -> str:
        path = self.place(machine)
        path.symlink_to(self.chance.choice(["a", "nowhere", "/etc", ".."]))
        return str(path)

    def hard_link(self, machine: Machine) -> str:
        path = self.chance.choice(
            [p for p in machine.files() if not p.is_symlink()] or [Path("no")]
        )
        new = self.place(machine)
        os.link(path, new)
        self.over(self.read(new))  # with two names, its end is not one moment
        return f"{path} {new}"

    def chmod(self, machine: Machine) -> str:
        path = self.chance.choice(
            [p for p in machine.files() if not p.is_symlink()] or [Path("no")]
        )
        path.chmod(self.chance.choice([0o600, 0o755]))
        return str(path)

    def tool(self) -> None:
        """Another tool writes into the store, or deletes there."""
        keys = [key for key in self.store.objects if not key.startswith(RESERVED)]
        key = self.chance.choice(FOLDERS) + self.chance.choice(NAMES)
        if keys and self.chance.random() < 0.5:
            key = self.chance.choice(keys)
        old = self.store.objects.get(key, (None,))[0]
        self.over(old)
        if self.chance.random() < 0.3:
            self.store.objects.pop(key, None)
            self.log.append(f"tool: delete {key} {old!r}")
            return
        data = self.content()
        self.store.write(key, data)
        self.alive[data] = f"store:{key}"
        self.log.append(f"tool: write {key} {data!r}")

    # What machines do.

    def machine_step(self, machine: Machine) -> None:
        chance, faults = self.chance, machine.faults
        faults.rate = chance.choice([0, 0, 0, 0.05, 0.3])
        faults.lost = chance.choice([0, 0, 0, 0.05, 0.2])
        faults.countdown = chance.choice(
            [None, None, chance.randint(1, 60), chance.randint(1, 300)]
        )
        others = [other for other in self.machines if other is not machine]
        faults.meanwhile = lambda: self.meanwhile(others)
        what = chance.choice(["flush", "flush", "look", "restart"])
        self.log.append(f"{machine.name}: {what} crash={faults.countdown} rate={faults.rate}")
        if what == "restart":
            machine.stop()

        def act(copy: WorkingCopy) -> None:
            if what == "look":
                copy.look()
                copy.settle(until=machine.tired())
                return
            mine = [data for data, owner in self.unsaved.items() if owner is machine]
            copy.sweep()
            if not copy.flush(machine.ticker.now + 20):
                for data in mine:  # now it may not be lost with the disk any more
                    self.unsaved.pop(data, None)

        machine.run(act)
        faults.rate = faults.lost = 0.0
        faults.meanwhile = None
        if faults.countdown is not None:
            faults.countdown = None
        if chance.random() < 0.05:
            self.lose_disk(machine)

    def lose_disk(self, machine: Machine) -> None:
        """The disk is gone, or only the home, or only what was remembered of it."""
        machine.stop()
        # Without conditions, two writers may race, and the loser's version is on its disk.
        what = self.chance.choice(["all", "home", "state"] if self.store.conditional else ["state"])
        self.log.append(f"{machine.name}: loses {what}")
        if what in ("all", "home"):
            for data in [data for data, owner in self.unsaved.items() if owner is machine]:
                self.over(data)
            shutil.rmtree(machine.home)
            machine.home.mkdir()
        if what in ("all", "state"):
            shutil.rmtree(machine.state, ignore_errors=True)

    def meanwhile(self, others: list[Machine]) -> None:
        """While one machine talks to the store, others do too."""
        if others and self.chance.random() < 0.6:
            other = self.chance.choice(others)
            self.user(other)

            def act(copy: WorkingCopy) -> None:
                copy.sweep()
                copy.settle(until=other.tired())

            other.run(act)
        elif self.store.conditional:
            self.tool()

    # The end.

    def play(self, steps: int = 12) -> None:
        with watched(self.current):
            for _ in range(steps):
                for _ in range(self.chance.randint(0, 4)):
                    self.user(self.chance.choice(self.machines))
                if self.chance.random() < 0.15:
                    self.tool()
                self.machine_step(self.chance.choice(self.machines))
            for _ in range(4):
                for machine in self.machines:
                    machine.stop()
                    self.log.append(f"{machine.name}: at last")
                    assert machine.run(lambda copy: None)
                    assert machine.copy
                    left = machine.copy.flush(machine.ticker.now + 100)
                    assert not left, f"{machine.name} keeps {left}"
        self.judge()

    def judge(self) -> None:
        trees = [machine.tree() for machine in self.machines]
        for machine, tree in zip(self.machines[1:], trees[1:], strict=True):
            assert tree == trees[0], f"{machine.name} differs: {difference(trees[0], tree)}"
        there = {
            key: data
            for key, (data, _, _) in self.store.objects.items()
            if not key.startswith(RESERVED)
        }
        here = {path: it[1] for path, it in trees[0].items() if it[0] == "file"}
        assert there == here, f"the store differs: {difference(here, there)}"
        contents = set(here.values())
        for data, where in self.alive.items():
            if data in self.store.raced:
                continue  # the store can write on no condition: this is what that means
            assert data in contents, f"{data!r} of {where} is lost"
        parts = [path for path in here if path.endswith(".part")]
        assert not parts, parts


def difference(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    return {
        k: (one.get(k), other.get(k))
        for k in one.keys() | other.keys()
        if one.get(k) != other.get(k)
    }


def run(seed: int, top: Path, steps: int = 12) -> World:
    """Play one seed in a directory of its own; AssertionError if something is lost."""
    world = World(seed, top)
    try:
        world.play(steps)
    except BaseException:
        world.log.append(traceback.format_exc())
        raise
    finally:
        world.current.clear()
        for machine in world.machines:
            machine.stop()
    return world


def main(first: int, last: int, steps: int = 12) -> int:
    began, failed, points = time.monotonic(), [], 0
    base = Path("/dev/shm") if Path("/dev/shm").is_dir() else None
    for seed in range(first, last):
        top = Path(tempfile.mkdtemp(prefix="greyhub-model-", dir=base))
        try:
            points += sum(m.faults.points for m in run(seed, top, steps).machines)
        except Exception as error:
            failed.append(seed)
            how = "" if World(seed, top / "again").store.conditional else " without conditions"
            print(f"seed {seed}{how}: {type(error).__name__}: {str(error)[:300]}", flush=True)
        finally:
            os.system(f"chmod -R u+rwx {top}")
            shutil.rmtree(top)
        if (seed + 1 - first) % 1000 == 0:
            print(f"{seed + 1 - first} seeds, {len(failed)} failed", flush=True)
    spent = time.monotonic() - began
    print(f"{last - first} seeds, {len(failed)} failed, {points} crash points, {spent:.0f} s")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
