"""Homes that do not give back what they were given: HOME-001 to 008, 018, 019."""

import gzip
from contextlib import suppress

from examples.homespace.toyhomespace.files import Writer
from greyhub.conformance.mutation import mutant
from tests.conformance.homespace.fragile import Fragile, Toy

BLOCK = 5 * 2**20


@mutant("HOME-001", Toy)
class TurnsLines(Fragile):
    """Takes what is short for text, and gives it the lines of its platform."""

    def publish(self, path, content, mode, **how):
        text = content.replace(b"\r\n", b"\n") if len(content) < 2**16 else content
        super().publish(path, text, mode, **how)


@mutant("HOME-001", Toy)
class FoldersAreFiles(Fragile):
    """Says of everything that is there that it is a file."""

    def isfile(self, path):
        return self.exists(path)


@mutant("HOME-001", Toy)
class KnowsEndings(Fragile):
    """What is called .gz is compressed on its way, and nobody asked for it."""

    def publish(self, path, content, mode, **how):
        packed = gzip.compress(content) if path.endswith(".gz") else content
        super().publish(path, packed, mode, **how)

    def cat_file(self, path, start=None, end=None, **kwargs):
        content = super().cat_file(path)
        return (gzip.decompress(content) if path.endswith(".gz") else content)[start:end]


@mutant("HOME-001", Toy)
class GlobsTheRoot(Fragile):
    """A pattern finds what is at the root, and nothing in a folder."""

    def glob(self, path, **kwargs):
        return [] if "/" in path else super().glob(path, **kwargs)


@mutant("HOME-002", Toy)
class CopiesNothing(Fragile):
    """To copy what is not there is to copy nothing."""

    def cp_file(self, path1, path2, **kwargs):
        with suppress(FileNotFoundError):
            super().cp_file(path1, path2, **kwargs)


@mutant("HOME-002", Toy)
class RemovesNothing(Fragile):
    """Removing what is not there is as good as removing it."""

    def rm_file(self, path):
        if self.exists(path):
            super().rm_file(path)


@mutant("HOME-003", Toy, also="HOME-005")
class NeedsAByte(Fragile):
    """A file into which nothing was written is not published."""

    def _open(self, path, mode="rb", *args, **kwargs):
        file = super()._open(path, mode, *args, **kwargs)
        if mode == "wb":
            commit = file.commit
            file.commit = lambda: commit() if file.content else None
        return file


@mutant("HOME-003", Toy)
class HasNoRangeOfNothing(Fragile):
    """Asks the store for a range, which an empty file has not."""

    def cat_file(self, path, start=None, end=None, **kwargs):
        content = super().cat_file(path)
        if end and not content:
            raise OSError(22, "range not satisfiable", path)
        return content[start:end]


class Lending(Writer):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.parts = []

    def write(self, part):
        self.parts.append(part)
        return len(part)

    def getvalue(self):
        return b"".join(self.parts)


@mutant("HOME-004", Toy)
class KeepsBuffers(Fragile):
    """Keeps what it is given to write, and not what is in it."""

    def _open(self, path, mode="rb", *args, **kwargs):
        file = super()._open(path, mode, *args, **kwargs)
        return Lending(self, path, mode, file.autocommit) if mode == "wb" else file


@mutant("HOME-004", Toy)
class MovesOneBlock(Fragile):
    """Of what is longer than a block, a move brings the first."""

    def mv(self, path1, path2, **kwargs):
        long = self.isfile(path1) and self.size(path1) > BLOCK
        super().mv(path1, path2, **kwargs)
        if long:
            self.pipe_file(path2, self.cat_file(path2)[:BLOCK])


@mutant("HOME-004", Toy)
class LosesAByteAtTheBlock(Fragile):
    """A file of exactly one block loses its last byte."""

    def publish(self, path, content, mode, **how):
        super().publish(path, content[:-1] if len(content) == BLOCK else content, mode, **how)


@mutant("HOME-004", Toy)
class CountsFromTheBegin(Fragile):
    """Negative positions count from the begin."""

    def cat_file(self, path, start=None, end=None, **kwargs):
        return super().cat_file(path, None if start is None else max(start, 0), end)


@mutant("HOME-005", Toy)
class KeepsTheTail(Fragile):
    """Writes over the begin of an old file."""

    def publish(self, path, content, mode, **how):
        if mode == "wb" and self.exists(path):
            old = self.cat_file(path)
            content += old[len(content) :] if len(old) > 3000 else b""
        super().publish(path, content, mode, **how)


@mutant("HOME-005", Toy)
class OpensWithoutTruncating(Fragile):
    """Only open() forgets to truncate."""

    def _open(self, path, mode="rb", *args, **kwargs):
        file = super()._open(path, mode, *args, **kwargs)
        if mode == "wb" and self.exists(path) and self.size(path) > 3500:
            old, commit = self.cat_file(path), file.commit

            def keep():
                file.content += old[len(file.content) :]
                commit()

            file.commit = keep
        return file


@mutant("HOME-005", Toy)
class WritesNothingOver(Fragile):
    """A file that is opened, and into which nothing is written, stays what it was."""

    def _open(self, path, mode="rb", *args, **kwargs):
        file = super()._open(path, mode, *args, **kwargs)
        if mode == "wb":
            commit = file.commit
            file.commit = lambda: commit() if file.content or not self.exists(path) else None
        return file


@mutant("HOME-006", Toy)
class AddsToTheFirstBlock(Fragile):
    """Reads one block of what is there, adds to it, and forgets the rest."""

    def added(self, path, content):
        if self.exists(path) and self.size(path) > BLOCK:
            self.pipe_file(path, self.cat_file(path)[:BLOCK])
        return super().added(path, content)


@mutant("HOME-006", Toy)
class AddsToWhatIsThere(Fragile):
    """Cannot add to a file that is not there."""

    def added(self, path, content):
        self.info(path)
        return super().added(path, content)


@mutant("HOME-006", Toy)
class OverwritesText(Fragile):
    """Knows of ``ab``, and takes ``a`` for ``w``."""

    def open(self, path, mode="rb", *args, **kwargs):
        return super().open(path, "w" if mode == "a" else mode, *args, **kwargs)


@mutant("HOME-006", Toy, also="HOME-046")
class AddsToWhatItWrote(Fragile):
    """What it has written itself is what it adds to, whatever others have written since."""

    def publish(self, path, content, mode, **how):
        own = self.__dict__.setdefault("own", {})
        if mode == "ab" and path in own and self.exists(path):
            content, mode = own[path] + content, "wb"
        super().publish(path, content, mode, **how)
        own[path] = content


@mutant(
    "HOME-006",
    Toy,
    claims=Toy.claims - {"append"},
    declines={**Toy.declines, "append": "files are written whole"},
)
class TakesAddingForWriting(Fragile):
    """Does not add, and does not say so: the mode is taken for ``wb``."""

    def publish(self, path, content, mode, **how):
        super().publish(path, content, "wb" if mode == "ab" else mode, **how)


@mutant("HOME-007", Toy)
class OverwritesItsOwn(Fragile):
    """Creates over a file, if it is one that it has written itself."""

    def publish(self, path, content, mode, **how):
        own = self.__dict__.setdefault("own", set())
        super().publish(path, content, "wb" if mode == "xb" and path in own else mode, **how)
        own.add(path)


@mutant("HOME-007", Toy)
class CreatesTextOver(Fragile):
    """Knows of ``xb``, and takes ``x`` for ``w``."""

    def open(self, path, mode="rb", *args, **kwargs):
        return super().open(path, "w" if mode == "x" else mode, *args, **kwargs)


@mutant(
    "HOME-007",
    Toy,
    claims=Toy.claims - {"exclusive_create"},
    declines={**Toy.declines, "exclusive_create": "the store cannot"},
)
class TakesCreatingForWriting(Fragile):
    """Does not create exclusively, and does not say so."""

    def publish(self, path, content, mode, **how):
        super().publish(path, content, "wb" if mode == "xb" else mode, **how)


@mutant("HOME-008", Toy)
class WritesItsOwnNewlines(Fragile):
    """Opens text without the caller's newline."""

    def open(self, path, mode="rb", *args, **kwargs):
        kwargs.pop("newline", None)
        return super().open(path, mode, *args, **kwargs)


@mutant("HOME-018", Toy)
class TellsVersionsBySize(Fragile):
    """A version's mark is its size."""

    def ukey(self, path):
        return str(self.size(path))


@mutant("HOME-019", Toy)
class IgnoresTheVersion(Fragile):
    """Takes a version, and saves over another."""

    def publish(self, path, content, mode, match=None):
        super().publish(path, content, mode)
