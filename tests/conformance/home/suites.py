"""The author's files of the reference homes."""

import tempfile
from pathlib import Path

from greyhub.conformance.home import Directory, HomeSuite, full_disk
from greyhub.homespace.local import LocalHome

NO_NETWORK = {
    "credentials": "a directory is opened by its owner's uid alone",
    "remote": "a directory is on this machine",
    "staleness": "everything is seen at once",
}


class Local(HomeSuite):
    """greyhub's own homes in directories."""

    adapter = LocalHome
    mode = "real"
    claims = set(HomeSuite.contract.capabilities) - set(NO_NETWORK)
    declines = NO_NETWORK

    def prepare(self):
        self.scratch = tempfile.TemporaryDirectory(prefix="greyhub-homes-")
        self.root = Path(self.scratch.name) / "deep" / "homes"

    def cleanup(self):
        self.scratch.cleanup()

    def config(self):
        return {"LocalHome": {"root": str(self.root)}}

    def raw(self, user):
        return Directory(self.root / user)

    def location(self, user):
        return str(self.root / user)

    def fault(self, kind, moment, **how):
        return full_disk()
