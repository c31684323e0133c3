"""Homes that take a name for something else: HOME-020 to 026."""

import fnmatch
import re
import unicodedata

from greyhub.conformance.mutation import mutant
from tests.conformance.homespace.fragile import Fragile, Toy

MAGIC = re.compile(r"[*?\[]")


@mutant("HOME-020", Toy)
class Decodes(Fragile):
    """A listing has the names as a browser shows them."""

    def entries(self, prefix):
        return [
            {**each, "name": each["name"].replace("%20", " ")} for each in super().entries(prefix)
        ]


@mutant("HOME-020", Toy)
class Trims(Fragile):
    """A space at a name's end is a slip."""

    def key(self, path):
        return super().key(path).rstrip(" ")


@mutant("HOME-020", Toy)
class HidesTheTemporary(Fragile):
    """What is called as a program calls what is temporary is shown to nobody."""

    def entries(self, prefix):
        hidden = (".tmp", ".part")
        return [each for each in super().entries(prefix) if not each["name"].endswith(hidden)]


class Expanding(Fragile):
    """Finds what a name matches, where a method says so."""

    def matching(self, path):
        names = [each["name"] for each in self.entries("")]
        return fnmatch.filter(names, path) if MAGIC.search(path) else []


@mutant("HOME-021", Toy)
class ReadsWhatMatches(Expanding):
    """Reads the first file that matches."""

    def cat_file(self, path, start=None, end=None, **kwargs):
        return super().cat_file((self.matching(path) or [path])[0], start, end)


@mutant("HOME-021", Toy)
class MovesWhatMatches(Expanding):
    """Moves what matches, as a shell would."""

    def mv(self, path1, path2, **kwargs):
        for each in self.matching(path1) or [path1]:
            super().mv(each, path2, **kwargs)


@mutant("HOME-022", Toy)
class RemovesWhatMatches(Expanding):
    """Removes what matches, as a shell would."""

    def rm(self, path, recursive=False, maxdepth=None):
        for each in path if isinstance(path, list) else [path]:
            super().rm([*dict.fromkeys([each, *self.matching(each)])], recursive)


@mutant("HOME-022", Toy)
class RemovesFoldersThatMatch(Expanding):
    """Takes a name for a pattern only where it removes a folder."""

    def rm(self, path, recursive=False, maxdepth=None):
        names = path if isinstance(path, list) else [path]
        if recursive and self.isdir(names[0]):
            names = [*names, *(each for each in self.matching(names[0]) if self.isfile(each))]
        super().rm(names[0], recursive)
        for each in names[1:]:
            if self.exists(each):
                super().rm(each, recursive)


@mutant("HOME-022", Toy)
class ExpandsInLists(Fragile):
    """A name in a list may be a pattern."""

    def rm(self, path, recursive=False, maxdepth=None):
        if isinstance(path, list):
            path = [each for name in path for each in (self.glob(name) or [name])]
        super().rm(path, recursive, maxdepth)


@mutant("HOME-023", Toy)
class RemovesWhatIsNamedAlike(Fragile):
    """A folder is what begins with its name."""

    def rm(self, path, recursive=False, maxdepth=None):
        if isinstance(path, str) and recursive and self.isdir(path):
            for each in self.entries(path):
                self.rm_file(each["name"])
        else:
            super().rm(path, recursive, maxdepth)


@mutant("HOME-023", Toy)
class RemovesTheFileBeside(Fragile):
    """With a folder goes the file that has its name and an ending."""

    def rm(self, path, recursive=False, maxdepth=None):
        super().rm(path, recursive, maxdepth)
        if recursive and isinstance(path, str):
            for each in self.entries(f"{path}."):
                if "/" not in each["name"]:
                    self.rm_file(each["name"])


@mutant("HOME-023", Toy)
class RemovesAThousand(Fragile):
    """Removes what the store lists at once, and does not ask for more."""

    def entries(self, prefix):
        return super().entries(prefix)[:1000] if self.removing else super().entries(prefix)

    removing = False

    def rm(self, path, recursive=False, maxdepth=None):
        self.removing = True
        try:
            super().rm(path, recursive, maxdepth)
        finally:
            self.removing = False


@mutant("HOME-024", Toy)
class AlwaysTruncates(Fragile):
    """Touching is making empty."""

    def touch(self, path, truncate=True, **kwargs):
        super().touch(path, truncate=True)


@mutant("HOME-024", Toy)
class TouchesTheFirstBytes(Fragile):
    """Writes again what it has read, which is not all."""

    def touch(self, path, truncate=True, **kwargs):
        keep = not truncate and self.exists(path)
        self.pipe_file(path, self.cat_file(path, 0, 4) if keep else b"")


@mutant("HOME-025", Toy)
class Composes(Fragile):
    """Composes each letter, as some file systems do."""

    def key(self, path):
        return unicodedata.normalize("NFC", super().key(path))


@mutant("HOME-026", Toy)
class ListsOnePage(Fragile):
    """The first page is all there is."""

    def entries(self, prefix):
        return super().entries(prefix)[:5000]
