"""Homes that publish what is not whole, or lose what was: HOME-009 to 017, 044, 045."""

import itertools
import threading
import time
import uuid
from contextlib import suppress
from pathlib import Path

from fsspec.transaction import Transaction

from examples.homespace.toyhomespace.client import Client
from examples.homespace.toyhomespace.files import Text, Writer
from greyhub.conformance.mutation import mutant
from tests.conformance.homespace.fragile import Disk, DiskHome, Fragile, Toy


class Refusing(Client):
    """Tells the refusal of a write by an error of its own."""

    def ask(self, method, key, body=b"", **headers):
        try:
            return super().ask(method, key, body, **headers)
        except PermissionError as error:
            if method == "PUT" and "403" in str(error):
                raise RuntimeError("the store refused") from error
            raise


@mutant("HOME-009", Toy)
class HasErrorsOfItsOwn(Fragile):
    """A quota is a RuntimeError, which no program expects of a file."""

    def __init__(self, user, url, token_file):
        super().__init__(user, url, token_file)
        self.client = Refusing(url, token_file)


@mutant("HOME-009", Toy, also="HOME-044")
class ClearsUpTooMuch(Fragile):
    """Removes what a failed write may have left, which is the old file."""

    def publish(self, path, content, mode, **how):
        try:
            super().publish(path, content, mode, **how)
        except PermissionError:
            with suppress(OSError):
                self.client.delete(self.key(path))
            raise


class Closing(Writer):
    """Is closed like any file when its block fails."""

    def __exit__(self, *how):
        self.close()


@mutant("HOME-010", Toy)
class PublishesTheHalf(Fragile):
    """A file whose writer failed is closed, and so it is published."""

    writer = Closing


class ClosingText(Text):
    """Is closed like any file when its block fails."""

    def __exit__(self, *how):
        self.close()


@mutant("HOME-010", Toy)
class PublishesHalfOfAText(Fragile):
    """Only what is written as text is published when its writer fails."""

    text = ClosingText


class Saving(Writer):
    """Saves what a failed writer had."""

    def __exit__(self, kind, *how):
        if kind is not None and not self.closed:
            self.home.pipe_file(f"{self.path}.autosave", self.getvalue())
        super().__exit__(kind, *how)


@mutant("HOME-010", Toy)
class LeavesTheHalf(Fragile):
    """What a failed writer had stays beside the file."""

    writer = Saving


class Emptying(Writer):
    def __exit__(self, kind, *how):
        super().__exit__(kind if self.getvalue() else None, *how)


@mutant("HOME-010", Toy)
class PublishesNothing(Fragile):
    """A writer that failed before it wrote anything leaves an empty file."""

    writer = Emptying


@mutant("HOME-011", Toy, also="HOME-014")
class MovesOntoNothing(Fragile):
    """Before a file is moved onto another, that one is removed."""

    def mv(self, path1, path2, **kwargs):
        self.info(path1)
        if self.exists(path2) and self.isfile(path2):
            self.rm_file(path2)
        super().mv(path1, path2, **kwargs)


@mutant("HOME-011", Toy)
class WritesInParts(Fragile):
    """Puts the first half, then the whole."""

    def publish(self, path, content, mode, **how):
        if mode == "wb" and len(content) > 3000:
            super().publish(path, content[: len(content) // 2], mode, **how)
        super().publish(path, content, mode, **how)


class Flushing(Writer):
    """A flush lets everyone see what there is."""

    def flush(self):
        super().flush()
        if self.kind == "wb" and not self.closed and self.getvalue()[:3] == b"new":
            self.home.publish(self.path, self.getvalue(), "wb")


@mutant("HOME-011", Toy)
class PublishesWhatIsFlushed(Fragile):
    """Half of a file is there as soon as it is flushed."""

    writer = Flushing


@mutant("HOME-011", Toy)
class PutsInParts(Fragile):
    """A file that is put comes in two parts."""

    def put_file(self, lpath, rpath, **kwargs):
        content = Path(lpath).read_bytes()
        self.pipe_file(rpath, content[: len(content) // 2])
        self.pipe_file(rpath, content)


@mutant("HOME-011", Toy)
class ShowsTheFirstBlock(Fragile):
    """What is longer than a block is there with its first block."""

    def publish(self, path, content, mode, **how):
        if mode == "wb" and len(content) > 5 * 2**20:
            super().publish(path, content[: 5 * 2**20], mode, **how)
        super().publish(path, content, mode, **how)


@mutant("HOME-012", Toy, also="HOME-043")
class HasOneNameForUploads(Fragile):
    """Each upload goes to one place first, and is copied from there."""

    def publish(self, path, content, mode, **how):
        if mode != "wb" or how.get("match"):
            return super().publish(path, content, mode, **how)
        self.free(path)
        self.client.put(self.key(".upload"), content)
        self.client.copy(self.key(".upload"), self.key(path))
        with suppress(FileNotFoundError):
            self.client.delete(self.key(".upload"))


@mutant("HOME-012", Toy)
class CountsUploads(Fragile):
    """Uploads are numbered, in each process from the begin."""

    numbers = itertools.count()

    def publish(self, path, content, mode, **how):
        if mode != "wb" or how.get("match"):
            return super().publish(path, content, mode, **how)
        self.free(path)
        upload = self.key(f"{path}.{next(self.numbers)}")
        self.client.put(upload, content)
        self.client.copy(upload, self.key(path))
        self.client.delete(upload)


@mutant("HOME-012", Toy)
class KeepsTheLoser(Fragile):
    """A file that another one wrote meanwhile is kept beside it: nobody asked for it."""

    def _open(self, path, mode="rb", *args, **kwargs):
        file = super()._open(path, mode, *args, **kwargs)
        if mode == "wb":
            began, commit = self.exists(path), file.commit

            def keep():
                if self.exists(path) and not began:
                    self.client.copy(self.key(path), self.key(f"{path}.conflict"))
                commit()

            file.commit = keep
        return file


@mutant("HOME-013", Toy)
class LooksThenWrites(Fragile):
    """fsspec's own way to create: look whether it is there, then write."""

    def publish(self, path, content, mode, **how):
        if mode == "xb":
            if self.exists(path):
                raise FileExistsError(path)
            mode = "wb"
        super().publish(path, content, mode, **how)


@mutant("HOME-013", Toy)
class LocksThisProcess(Fragile):
    """Looks and writes while it holds a lock, of which no other process knows."""

    lock = threading.RLock()

    def publish(self, path, content, mode, **how):
        if mode != "xb":
            return super().publish(path, content, mode, **how)
        with self.lock:
            if self.exists(path):
                raise FileExistsError(path)
            super().publish(path, content, "wb", **how)


@mutant("HOME-013", Toy)
class TellsTheLoserNothing(Fragile):
    """The store lets one win; the other is only told if it could be seen before."""

    def publish(self, path, content, mode, **how):
        if mode == "xb" and self.exists(path):
            raise FileExistsError(path)
        with suppress(FileExistsError):
            super().publish(path, content, mode, **how)


@mutant("HOME-014", Toy)
class MakesTheTarget(Fragile):
    """Where there is nothing to move, the target is made all the same."""

    def mv(self, path1, path2, **kwargs):
        if not self.exists(path1) and not self.exists(path2):
            self.pipe_file(path2, b"")
        super().mv(path1, path2, **kwargs)


@mutant("HOME-014", Toy)
class MovesOverTheBegin(Fragile):
    """The end of a longer target stays."""

    def mv(self, path1, path2, **kwargs):
        tail = b""
        if self.isfile(path1) and self.isfile(path2) and self.size(path2) < 100:
            tail = self.cat_file(path2)[self.size(path1) :]
        super().mv(path1, path2, **kwargs)
        if tail:
            self.pipe_file(path2, self.cat_file(path2) + tail)


@mutant("HOME-014", Toy)
class MovesOntoItself(Fragile):
    """Copies to the target, which is the source, and removes the source."""

    def mv(self, path1, path2, **kwargs):
        if path1 != path2 or not self.isfile(path1):
            return super().mv(path1, path2, **kwargs)
        self.cp_file(path1, path2)
        self.rm_file(path1)


@mutant("HOME-014", Toy)
class MovesFilesNamedAlike(Fragile):
    """With a file all go whose names begin with its name."""

    def mv(self, path1, path2, **kwargs):
        alike = self.entries(f"{path1}.") if self.isfile(path1) else []
        super().mv(path1, path2, **kwargs)
        for each in alike:
            super().mv(each["name"], path2 + each["name"].removeprefix(path1))


@mutant("HOME-015", Toy)
class MovesWhatIsNamedAlike(Fragile):
    """A folder's move takes all along that begins with its name."""

    def mv(self, path1, path2, **kwargs):
        if self.isdir(path1):
            for each in self.entries(path1):
                beside = each["name"].removeprefix(path1)
                if not beside.startswith("/"):
                    super().mv(each["name"], f"{path2}{beside}")
        super().mv(path1, path2, **kwargs)


@mutant("HOME-015", Toy)
class MovesTwoLevels(Fragile):
    """What is deeper stays where it was."""

    def mv(self, path1, path2, **kwargs):
        if not self.isdir(path1) or f"{path2}/".startswith(f"{path1}/"):
            return super().mv(path1, path2, **kwargs)
        for each in self.entries(f"{path1}/"):
            if each["name"].count("/") < 3:
                super().mv(each["name"], path2 + each["name"].removeprefix(path1))


@mutant("HOME-016", Toy)
class MovesBelowFiles(Fragile):
    """Moves to wherever it is told, below a file too."""

    def mv(self, path1, path2, **kwargs):
        above = path2.rpartition("/")[0]
        if above and self.isfile(path1) and self.isfile(above):
            self.client.copy(self.key(path1), self.key(path2))
            return self.client.delete(self.key(path1))
        super().mv(path1, path2, **kwargs)


@mutant("HOME-016", Toy)
class WritesBelowFiles(Fragile):
    """A name may be a file's and a folder's."""

    def publish(self, path, content, mode, **how):
        try:
            super().publish(path, content, mode, **how)
        except NotADirectoryError:
            self.client.put(self.key(path), content)


@mutant("HOME-016", Toy)
class RemovesThenWrites(Fragile):
    """A move reads the file, removes it, and writes it at its new place."""

    def mv(self, path1, path2, **kwargs):
        if not self.isfile(path1) or path2.startswith(f"{path1}/"):
            return super().mv(path1, path2, **kwargs)
        self.free(path2)
        content = self.cat_file(path1)
        self.rm_file(path1)
        self.pipe_file(path2, content)


@mutant("HOME-016", Toy)
class MovesWhatItCan(Fragile):
    """What of a folder cannot be copied is removed with the rest."""

    def mv(self, path1, path2, **kwargs):
        if not self.isdir(path1) or f"{path2}/".startswith(f"{path1}/"):
            return super().mv(path1, path2, **kwargs)
        for each in self.entries(f"{path1}/"):
            with suppress(OSError):
                self.cp_file(each["name"], path2 + each["name"].removeprefix(path1))
        self.rm(path1, recursive=True)


@mutant("HOME-016", Toy)
class MovesOverFolders(Fragile):
    """A folder that is in the way is removed with all that it holds."""

    def mv(self, path1, path2, **kwargs):
        if self.isfile(path1) and self.isdir(path2):
            self.rm(path2, recursive=True)
        super().mv(path1, path2, **kwargs)


class Marking(Writer):
    """Says by a file of its own that it is at work."""

    def __init__(self, home, path, mode, autocommit, **how):
        super().__init__(home, path, mode, autocommit, **how)
        self.mark = home.key(f".writing-{uuid.uuid4().hex}")
        home.client.put(self.mark, b"")

    def close(self):
        self.unmark()
        super().close()

    def discard(self):
        self.unmark()
        super().discard()

    def unmark(self):
        with suppress(OSError):
            self.home.client.delete(self.mark)


@mutant("HOME-017", Toy)
class ShowsWhoWrites(Fragile):
    """A writer's mark is a file that everyone sees, and that nobody removes if it dies."""

    def _open(self, path, mode="rb", *args, **kwargs):
        file = super()._open(path, mode, *args, **kwargs)
        return Marking(self, path, mode, file.autocommit) if mode == "wb" else file


@mutant("HOME-017", Toy)
class HidesWhoWrote(Fragile):
    """A writer's mark is shown to nobody, and stays for ever if it dies."""

    def _open(self, path, mode="rb", *args, **kwargs):
        file = super()._open(path, mode, *args, **kwargs)
        return Marking(self, path, mode, file.autocommit) if mode == "wb" else file

    def entries(self, prefix):
        return [e for e in super().entries(prefix) if not e["name"].startswith(".writing-")]


@mutant("HOME-017", Disk)
class ReapsByName(DiskHome):
    """What is called as temporary files are, and is old, is removed, whosever it is."""

    @classmethod
    def connect(cls, ticket, **options):
        for path in Path(ticket["path"]).rglob("*.tmp"):
            if path.stat().st_mtime < time.time() - 7 * 86400:
                path.unlink()
        return super().connect(ticket, **options)


@mutant("HOME-044", Toy, also="HOME-045")
class SaysNothing(Fragile):
    """A new file that the store refuses is logged, and that is all."""

    def publish(self, path, content, mode, **how):
        try:
            super().publish(path, content, mode, **how)
        except PermissionError as error:
            if "403" not in str(error) or self.exists(path):
                raise


@mutant("HOME-044", Toy, also="HOME-045")
class WritesLater(Fragile):
    """What was refused is written with the next file, though its writer was told it failed."""

    def publish(self, path, content, mode, **how):
        waiting = self.__dict__.setdefault("waiting", [])
        try:
            super().publish(path, content, mode, **how)
        except PermissionError:
            waiting.append((path, content))
            raise
        while waiting:
            self.client.put(self.key(waiting[0][0]), waiting.pop(0)[1])


@mutant("HOME-044", Toy)
class AddsNothing(Fragile):
    """What was to be added, and is refused, is logged, and that is all."""

    def publish(self, path, content, mode, **how):
        try:
            super().publish(path, content, mode, **how)
        except PermissionError as error:
            if mode != "ab" or "403" not in str(error):
                raise


@mutant("HOME-044", Toy)
class GoesOnWithTheRest(Fragile):
    """A block that is refused is left out."""

    def publish(self, path, content, mode, **how):
        try:
            super().publish(path, content, mode, **how)
        except PermissionError as error:
            if len(content) < 2**20 or "403" not in str(error):
                raise
            super().publish(path, content[2**20 :], mode, **how)


@mutant("HOME-045", Toy)
class PipesAtOnce(Fragile):
    """pipe_file() knows of no transaction."""

    def pipe_file(self, path, value, mode="overwrite", match=None, **kwargs):
        self.publish(path, value, "xb" if mode == "create" else "wb", match=match)


class Everlasting(Transaction):
    """Does not end when it fails."""

    def complete(self, commit=True):
        if commit:
            return super().complete(commit)
        for file in self.files:
            file.discard()
        self.files.clear()
        self.fs = None


@mutant("HOME-045", Toy, also="HOME-007")
class PoisonsLaterWrites(Fragile):
    """After a transaction that failed, every write waits for an end that never comes."""

    transaction_type = Everlasting


class Committing(Transaction):
    """Ends as it should have ended."""

    def complete(self, commit=True):
        super().complete(True)


@mutant("HOME-045", Toy)
class RollsNothingBack(Fragile):
    """A transaction that fails is published like any other."""

    transaction_type = Committing


@mutant("HOME-045", Toy)
class PutsAtOnce(Fragile):
    """put_file() knows of no transaction."""

    def put_file(self, lpath, rpath, **kwargs):
        self.publish(rpath, Path(lpath).read_bytes(), "wb")


class Unending(Transaction):
    """Ends if all that it publishes could be published."""

    def complete(self, commit=True):
        if not commit:
            return super().complete(commit)
        while self.files:
            self.files.popleft().commit()
        super().complete(commit)


@mutant("HOME-045", Toy, also="HOME-007")
class EndsOnlyWell(Fragile):
    """After a transaction whose end was refused, every write waits for another."""

    transaction_type = Unending
