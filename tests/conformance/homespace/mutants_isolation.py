"""Homes that somebody else gets into: HOME-030 to 037."""

import os
import posixpath
import unicodedata
from urllib.parse import unquote

from examples.homespace.toyhomespace.client import Client
from examples.homespace.toyhomespace.files import Writer
from greyhub.conformance.mutation import mutant
from greyhub.homespace.filesystem import Home
from greyhub.names import filename
from tests.conformance.homespace.fragile import Disk, DiskHome, Fragile, Toy, find


class Slugged(Fragile):
    """Calls its root as `slug` says."""

    def __init__(self, user, url, token_file):
        super().__init__("anyone", url, token_file)
        self.user, self.root = user, f"homes/{self.slug(user)}/"


@mutant("HOME-030", Toy)
class CutsLongNames(Slugged):
    """A long name is cut."""

    def slug(self, user):
        return filename(user)[:55]


@mutant("HOME-030", Toy)
class FoldsSigns(Slugged):
    """A dot becomes a dash."""

    def slug(self, user):
        return filename(user).replace(".", "-") if "the" in user else filename(user)


class Free(Fragile):
    """Takes every path, and makes its key by `key`."""

    @classmethod
    def _strip_protocol(cls, path):
        if isinstance(path, list):
            return [cls._strip_protocol(each) for each in path]
        return str(path).removeprefix("toy://").strip("/")


@mutant("HOME-031", Toy)
class FollowsDots(Free):
    """``..`` leads to the folder above."""

    def key(self, path):
        return posixpath.normpath(super().key(path)) + ("/" if path.endswith("/") else "")


@mutant("HOME-031", Toy)
class ComparesBeginnings(Free):
    """A path is in the home if it begins with its name."""

    def key(self, path):
        key = posixpath.normpath(super().key(path)) + ("/" if path.endswith("/") else "")
        if not key.startswith(self.root.rstrip("/")):
            raise PermissionError(path)
        return key


@mutant("HOME-031", Toy)
class DecodesAfterwards(Fragile):
    """Refuses ``..``, and then decodes."""

    def key(self, path):
        key = super().key(path)
        return posixpath.normpath(unquote(key)) if "..%2f" in path else key


@mutant("HOME-031", Toy, also="HOME-033")
class TakesAbsolutePaths(Fragile):
    """A path that begins at the store's root is taken for one."""

    def key(self, path):
        return path if path.startswith("homes/u") else super().key(path)


@mutant("HOME-031", Toy)
class TellsWhatIsThere(Fragile):
    """Tells of any path whether there is something."""

    def exists(self, path, **kwargs):
        if ".." not in path:
            return super().exists(path)
        key = posixpath.normpath(self.key(path))
        return any(each["name"] == key for each in self.client.list(key))


@mutant("HOME-031", Toy)
class CommitsAnywhere(Fragile):
    """In a transaction nobody looks where a path leads."""

    def open(self, path, mode="rb", *args, **kwargs):
        if not self._intrans or mode != "wb" or ".." not in path:
            return super().open(path, mode, *args, **kwargs)
        file = Writer(self, path, mode, False)
        key = posixpath.normpath(self.key(path))
        file.commit = lambda: self.client.put(key, file.content)
        self.transaction.files.append(file)
        return file


class Following(Home):
    """Reads through whatever link there is."""

    def cat_file(self, path, start=None, end=None, **kwargs):
        place = os.path.join(self.path, self._strip_protocol(path))
        if os.path.islink(place):
            with open(place, "rb") as file:
                return file.read()[start:end]
        return super().cat_file(path, start, end)


@mutant("HOME-032", Disk)
class FollowsLinks(DiskHome):
    """Reads the file that a link leads to, wherever that is."""

    home_class = Following


class Listing(Home):
    """Lists through whatever link there is."""

    def ls(self, path, detail=True, **kwargs):
        place = os.path.join(self.path, self._strip_protocol(path))
        if os.path.islink(place) and os.path.isdir(place) and not detail:
            return [f"{path}/{name}" for name in os.listdir(place)]
        return super().ls(path, detail, **kwargs)


@mutant("HOME-032", Disk)
class ListsThroughLinks(DiskHome):
    """Lists the folder that a link leads to, wherever that is."""

    home_class = Listing


class Writing(Home):
    """Writes through a link to a folder."""

    def pipe_file(self, path, value, mode="overwrite", match=None, **kwargs):
        place = os.path.join(self.path, self._strip_protocol(path))
        if os.path.islink(os.path.dirname(place)):
            with open(place, "wb") as file:
                file.write(value)
            return
        super().pipe_file(path, value, mode, match)


@mutant("HOME-032", Disk)
class WritesThroughLinks(DiskHome):
    """Writes into the folder that a link leads to, wherever that is."""

    home_class = Writing


class Overwriting(Home):
    """Writes into the file that a link leads to."""

    def __init__(self, path):
        super().__init__(path)
        self.here = path

    def pipe_file(self, path, value, *args, **kwargs):
        place = os.path.join(self.here, path)
        if not os.path.islink(place) or not os.path.isfile(place):
            return super().pipe_file(path, value, *args, **kwargs)
        with open(place, "wb") as file:
            file.write(value)


@mutant("HOME-032", Disk)
class OverwritesThroughLinks(DiskHome):
    """Overwrites the file that a link leads to, wherever that is."""

    home_class = Overwriting


@mutant("HOME-033", Toy)
class TakesNamesForPaths(Slugged):
    """A user's name is where the home is."""

    def slug(self, user):
        return posixpath.normpath(user) if user else ""


@mutant("HOME-033", Toy)
class FoldsCase(Slugged):
    """ADA is ada."""

    def slug(self, user):
        return filename(user.lower())


@mutant("HOME-033", Toy)
class ForgetsTheDomain(Slugged):
    """A user is who stands before the @."""

    @staticmethod
    def slug(user):
        return filename(user.partition("@")[0])


@mutant("HOME-033", Toy)
class LeavesAccentsAway(Slugged):
    """A letter is a letter, whatever is above it."""

    @staticmethod
    def slug(user):
        plain = unicodedata.normalize("NFKD", user).encode("ascii", "ignore")
        return filename(plain.decode())


@mutant("HOME-033", Toy)
class EndsNamesAtNul(Slugged):
    """A name ends where C ends it."""

    def slug(self, user):
        return filename(user.partition("\0")[0])


KEPT = {}


class Keeping(type(Fragile)):
    """Hands out what it has made for another, if they look alike."""

    def __call__(cls, user, url, token_file):
        alike = user[-4:-3] == "-" and user[-3:].islower()
        key = (cls, url, user[:-3] if alike else user)
        if key not in KEPT:
            KEPT[key] = super().__call__(user, url, token_file)
        return KEPT[key]


@mutant("HOME-034", Toy)
class SharesInstances(Fragile, metaclass=Keeping):
    """The cache of instances does not look at the whole of a user's name."""


LAST = []


def last_or(module, name, args, kwargs):
    return LAST[-1] if LAST else find(module, name)(*args, **kwargs)


@mutant("HOME-034", Toy)
class UnpicklesTheLast(Fragile):
    """What was made last is what a pickle stands for, if it is of this process."""

    def __init__(self, user, url, token_file):
        super().__init__(user, url, token_file)
        LAST.append(self)

    def __reduce__(self):
        return last_or, super().__reduce__()[1]


class Telling(Client):
    """Tells in an error what was sent."""

    def understood(self, status, key):
        try:
            return super().understood(status, key)
        except FileNotFoundError as error:
            raise FileNotFoundError(2, f"{error} with {self.token()}", key) from None


@mutant("HOME-035", Toy)
class ShowsItsToken(Fragile):
    """Its repr says all that is known of it."""

    def __repr__(self):
        return f"<home of {self.user} with {self.client.token()}>"


@mutant("HOME-035", Toy)
class TellsItsToken(Fragile):
    """An error says all that is known of the request."""

    def __init__(self, user, url, token_file):
        super().__init__(user, url, token_file)
        self.client = Telling(url, token_file)


class Addressing(Client):
    """Takes the address for the file's name, and the token stands in it."""

    def understood(self, status, key):
        try:
            return super().understood(status, key)
        except OSError as error:
            place = f"{key}?token={self.token()}"
            raise type(error)(error.errno, error.strerror, place) from None


@mutant("HOME-035", Toy)
class TellsTheAddress(Fragile):
    """An error names the file by an address that opens it."""

    def __init__(self, user, url, token_file):
        super().__init__(user, url, token_file)
        self.client = Addressing(url, token_file)


@mutant("HOME-035", Toy)
class PrintsItsToken(Fragile):
    """JSON holds the token, passwords or not."""

    def to_json(self, *, include_password=True):
        told = super().to_json(include_password=include_password)
        return f'{told[:-1]}, "token": "{self.client.token()}"}}'


@mutant("HOME-036", Disk)
class OpenToAll(DiskHome):
    """A home like most: everyone may look."""

    def _create(self, path, uid):
        super()._create(path, uid)
        path.chmod(0o755)


@mutant("HOME-036", Disk)
class OpenToTheGroup(DiskHome):
    """A home that the group may list and change."""

    def _create(self, path, uid):
        super()._create(path, uid)
        path.chmod(0o770)


class Remembering(Client):
    """Reads the token once."""

    def __init__(self, url, token_file):
        super().__init__(url, token_file)
        self.kept = super().token()

    def token(self):
        return self.kept


@mutant("HOME-037", Toy)
class ReadsTheTokenOnce(Fragile):
    """The token that it began with is the token for ever, also for who asks fsspec anew."""

    def __init__(self, user, url, token_file):
        super().__init__(user, url, token_file)
        self.client = Remembering(url, token_file)


class Shrugging(Client):
    """Nothing that it may not see is there."""

    def understood(self, status, key):
        if status == 401:
            raise FileNotFoundError(2, "no such file", key)
        return super().understood(status, key)


@mutant("HOME-037", Toy)
class TakesRefusedForGone(Fragile):
    """What it may not see is not there."""

    def __init__(self, user, url, token_file):
        super().__init__(user, url, token_file)
        self.client = Shrugging(url, token_file)
