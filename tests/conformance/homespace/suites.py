"""The author's files of the reference homes."""

import os
import shutil
import tempfile
from pathlib import Path

from examples.homespace.toyhomespace import ToyHomespace
from examples.homespace.toyhomespace.store import Shelf, Store
from greyhub.conformance.homespace import Directory, HomespaceSuite, full_disk
from greyhub.conformance.testkit.ticket import configured
from greyhub.homespace.azureml import AzureMLHomespace
from greyhub.homespace.filesystem import Home
from greyhub.homespace.kubernetes import KubernetesHomespace
from greyhub.homespace.local import LocalHomespace
from greyhub.kubernetes.claims import ClaimUrl
from greyhub.names import filename
from tests.conformance.homespace import claim_pods
from tests.conformance.homespace.stores import OnAzureLogin, OnS3
from tests.conformance.strangers import homes

NO_NETWORK = {
    "credentials": "a directory is opened by its owner's uid alone",
    "remote": "a directory is on this machine",
    "staleness": "everything is seen at once",
}


class Local(HomespaceSuite):
    """greyhub's own homes in directories."""

    adapter = LocalHomespace
    mode = "real"
    claims = set(HomespaceSuite.contract.capabilities) - set(NO_NETWORK)
    declines = NO_NETWORK

    def prepare(self):
        self.scratch = tempfile.TemporaryDirectory(prefix="greyhub-homes-")
        self.root = Path(self.scratch.name) / "deep" / "homes"

    def cleanup(self):
        self.scratch.cleanup()

    def config(self):
        return {"LocalHomespace": {"root": str(self.root)}}

    def raw(self, user):
        return Directory(self.root / user)

    def location(self, user):
        return str(self.root / user)

    def fault(self, kind, moment, **how):
        return full_disk()


class Claims(Local):
    """greyhub's own homes on a claim of Kubernetes."""

    adapter = KubernetesHomespace

    @staticmethod
    def hindrance():
        return claim_pods.hindrance()

    @staticmethod
    def judged(arguments):
        """The report, from a pod that has the claim."""
        return claim_pods.report(arguments)

    def prepare(self):
        self.root = Path(os.environ[claim_pods.PLACE]) / "homes"

    def cleanup(self):
        shutil.rmtree(self.root, ignore_errors=True)

    def config(self):
        return {"KubernetesHomespace": {"shared_claim": claim_pods.CLAIM, "deletion": "trash"}}

    def _connect(self, subject, user, options):
        """As in the pod of a user: their directory is made, and mounted."""
        place = Path(self._folder.name)
        url = ClaimUrl.read(configured(subject, options, place).home_of(user, remembered=False))
        home = self.root / url.directory
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        return subject.connect({"mode": "native", "path": str(home)})


def on_s3(user, endpoint, bucket, key_file, secret_file):
    """greyhub's home on S3, with references to the user's credentials."""
    options = {
        "key": {"file": key_file},
        "secret": {"file": secret_file},
        "endpoint_url": endpoint,
        "client_kwargs": {"region_name": "us-east-1"},
    }
    return Home(f"s3://{bucket}/h/{filename(user)}", options, patience=2)


class S3(OnS3):
    """greyhub's own homes on an object store."""

    adapter = staticmethod(on_s3)
    claims = set(HomespaceSuite.contract.capabilities) - {"permissions", "staleness", "symlinks"}
    declines = {
        "permissions": "S3 has users of its own",
        "staleness": "everything is seen at once",
        "symlinks": "S3 has none",
    }


def on_azureml(user, endpoint, ca_bundle):
    """greyhub's home on an Azure account, with a reference to what the hub gives the user."""
    options = {"account_url": endpoint, "ca_bundle": ca_bundle}
    made = configured(AzureMLHomespace, {"AzureMLHomespace": options}, Path())
    return Home(made.home_of(user, remembered=False), made.options_of(user), patience=2)


class AzureML(OnAzureLogin):
    """greyhub's own homes on Azure storage, by tokens of the user's."""

    patience = 3.0
    adapter = staticmethod(on_azureml)
    claims = S3.claims
    declines = {**S3.declines, "permissions": "Azure has users of its own",
                "symlinks": "Azure has none"}  # fmt: skip


class Lazy(Local):
    """A bare DirFileSystem that declines all it can: it must not earn the badge."""

    adapter = staticmethod(homes.local)
    claims = ()
    declines = dict.fromkeys(HomespaceSuite.contract.capabilities, "not needed")

    def config(self):
        return {"make": {"root": str(self.root)}}


class Toys(HomespaceSuite):
    """Eyes on a toy store."""

    endpoint = "make.url"
    claims = {"append", "conditional_write", "credentials", "directories", "exclusive_create",
              "remote"}  # fmt: skip
    declines = {
        "permissions": "the store has users of its own",
        "staleness": "the store forgets nothing",
        "symlinks": "the store has none",
    }

    def prepare(self):
        self.store = Store().start()

    def cleanup(self):
        self.store.stop()

    def config(self):
        return {"make": {"url": self.store.url, "token_file": self.store.file}}

    def raw(self, user):
        return Shelf(self.store, f"homes/{user}/")

    def location(self, user):
        return f"homes/{user}"

    def secrets(self, user):
        return self.store.tokens

    def expire(self, user):
        self.store.tokens.clear()

    def renew(self, user):
        self.store.renew()


class Toy(Toys):
    """The home that ``greyhub conform new`` writes: over HTTP, whole files, in memory."""

    adapter = ToyHomespace
    endpoint = "ToyHomespace.store"

    def config(self):
        return {"ToyHomespace": {"store": self.store.url, "token_file": self.store.file}}
