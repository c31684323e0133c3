"""Homes that live in the past, alone, or without patience: HOME-040 to 048."""

import threading
import uuid
from urllib.parse import quote

from fsspec import AbstractFileSystem

from examples.homespace.toyhomespace import client
from greyhub.conformance.mutation import mutant
from tests.conformance.homespace.fragile import Fragile, Toy


class Own(Fragile):
    """Calls `forget` whenever it changes something itself."""

    def __init__(self, user, url, token_file):
        super().__init__(user, url, token_file)
        self.seen = {}
        ask = self.client.ask

        def asked(method, *args, **kwargs):
            if method not in ("GET", "HEAD"):
                self.seen.clear()
            return ask(method, *args, **kwargs)

        self.client.ask = asked


@mutant("HOME-040", Toy)
class KeepsListings(Own):
    """A listing is kept until this client changes something."""

    def ls(self, path, detail=True, **kwargs):
        if path not in self.seen:
            self.seen[path] = super().ls(path)
        found = self.seen[path]
        return found if detail else [each["name"] for each in found]


@mutant("HOME-040", Toy)
class KeepsDetails(Own):
    """What was told of a file is kept until this client changes something."""

    def info(self, path, **kwargs):
        if path not in self.seen:
            self.seen[path] = super().info(path)
        return self.seen[path]


@mutant("HOME-040", Toy)
class KnowsContentBySize(Own):
    """What it has read of a file is what the file holds while its size is the same."""

    def cat_file(self, path, start=None, end=None, **kwargs):
        key = path, self.size(path)
        if key not in self.seen:
            self.seen[key] = super().cat_file(path)
        return self.seen[key][start:end]


@mutant("HOME-040", Toy)
class KeepsTheRoot(Own):
    """The root is what it was until this client changes something."""

    def ls(self, path, detail=True, **kwargs):
        if self._strip_protocol(path):
            return super().ls(path, detail)
        if "" not in self.seen:
            self.seen[""] = super().ls("")
        return self.seen[""] if detail else [each["name"] for each in self.seen[""]]


@mutant("HOME-041", Toy)
class RemembersTheFirstSize(Fragile):
    """A listing has the size that a file had when it was first written."""

    def publish(self, path, content, mode, **how):
        super().publish(path, content, mode, **how)
        self.__dict__.setdefault("sizes", {}).setdefault(path, len(content))

    def ls(self, path, detail=True, **kwargs):
        found = super().ls(path)
        sizes = self.__dict__.get("sizes", {})
        for each in found:
            each["size"] = sizes.get(each["name"], each["size"])
        return found if detail else [each["name"] for each in found]


@mutant("HOME-041", Toy, also="HOME-045")
class MissesTransactions(Fragile):
    """What a transaction has published is in no listing until something else is written."""

    stale = False

    def ls(self, path, detail=True, **kwargs):
        path = self._strip_protocol(path)
        seen = self.__dict__.setdefault("seen", {})
        if not self.stale or path not in seen:
            seen[path] = super().ls(path)
        return seen[path] if detail else [each["name"] for each in seen[path]]

    def publish(self, path, content, mode, **how):
        super().publish(path, content, mode, **how)
        self.stale = self._intrans


@mutant("HOME-042", Toy)
class StaysHere(Fragile):
    """Holds a lock, which cannot be pickled."""

    def __reduce__(self):
        raise TypeError("cannot pickle '_thread.lock' object")


@mutant("HOME-042", Toy)
class StaysWhereItWasUsed(Fragile):
    """Can be pickled until it has been used."""

    def ls(self, path, detail=True, **kwargs):
        self.session = threading.Lock()
        return super().ls(path, detail)

    def __reduce__(self):
        return (object, (self.session,)) if "session" in vars(self) else super().__reduce__()


@mutant("HOME-043", Toy)
class HasOneBuffer(Fragile):
    """What is to be written waits in one place, for all threads."""

    def publish(self, path, content, mode, **how):
        self.waiting = content
        self.free(path)
        super().publish(path, self.waiting, mode, **how)


class Hasty(client.Client):
    """Asks once."""

    def ask(self, method, key, body=b"", **headers):
        status, content = 503, b""
        try:
            status, content = self.once(method, key, body, headers)
        except (OSError, client.http.client.HTTPException) as error:
            raise OSError(5, f"no answer: {error!r}", key) from error
        return self.understood(status, key), content


@mutant("HOME-046", Toy)
class AsksOnce(Fragile):
    """A store that is busy for a moment is a store that failed."""

    def __init__(self, user, url, token_file):
        super().__init__(user, url, token_file)
        self.client = Hasty(url, token_file)


class Giving(client.Client):
    """Takes no answer for the answer that there is nothing."""

    def ask(self, method, key, body=b"", **headers):
        try:
            return super().ask(method, key, body, **headers)
        except OSError as error:
            if "away" in str(error) and method == "GET":
                raise FileNotFoundError(2, "no such file", key) from error
            raise


@mutant("HOME-046", Toy)
class TakesAwayForGone(Fragile):
    """A store that does not answer has no files."""

    def __init__(self, user, url, token_file):
        super().__init__(user, url, token_file)
        self.client = Giving(url, token_file)


class Stubborn(client.Client):
    """Adds to what it sends, each time that it sends it."""

    def once(self, method, key, body, headers):
        status, answer = super().once(method, key, body, headers)
        if status == 503 and method == "PUT" and body == b"12":
            self.again = b"122"
        return status, answer

    def put(self, key, content, **how):
        self.again = b""
        done = super().put(key, content, **how)
        if self.again:
            super().put(key, self.again)
        return done


@mutant("HOME-046", Toy)
class AddsTwice(Fragile):
    """What was to be added is added again after a busy answer."""

    def __init__(self, user, url, token_file):
        super().__init__(user, url, token_file)
        self.client = Stubborn(url, token_file)


@mutant("HOME-046", Toy)
class ExistsOrNot(Fragile):
    """As fsspec has it: what raises an error does not exist."""

    exists = AbstractFileSystem.exists


class Forgetful(client.Client):
    """Does not know its own work again."""

    def put(self, key, content, *, new=False, over=None):
        if over is None:
            return super().put(key, content, new=new)
        headers = {"Version": uuid.uuid4().hex, "If_Match": over}
        return self.ask("PUT", f"/{quote(key)}", content, **headers)[0] != 412


@mutant("HOME-046", Toy)
class AddsAgain(Fragile):
    """What was added is added again, if the store's reply was lost."""

    def __init__(self, user, url, token_file):
        super().__init__(user, url, token_file)
        self.client = Forgetful(url, token_file)


@mutant("HOME-047", Toy)
class AsksForEach(Fragile):
    """Asks for each file of a folder, unless there are very many."""

    def ls(self, path, detail=True, **kwargs):
        found = super().ls(path)
        if 20 < len(found) < 1000:
            found = [self.info(each["name"]) for each in found]
        return found if detail else [each["name"] for each in found]


@mutant("HOME-048", Toy)
class CopiesByLink(Fragile):
    """A copy follows what it was copied from."""

    def cp_file(self, path1, path2, **kwargs):
        super().cp_file(path1, path2, **kwargs)
        self.__dict__.setdefault("links", {})[path1] = path2

    def publish(self, path, content, mode, **how):
        super().publish(path, content, mode, **how)
        linked = self.__dict__.get("links", {}).get(path)
        if linked and self.exists(linked):
            super().publish(linked, content, "wb")
