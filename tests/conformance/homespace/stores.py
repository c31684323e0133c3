"""Real servers of other people's stores, in the hands of a suite."""

import asyncio
import getpass
import json
import logging
import os
import secrets
import subprocess
import tempfile
import time
from collections.abc import MutableMapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch
from urllib.parse import parse_qs

from greyhub.conformance.homespace import Directory, HomespaceSuite
from greyhub.conformance.testkit.faults import FaultProxy
from greyhub.credentials import HubCredential
from tests.homespace.azureml.account import TokenHub, account_in
from tests.homespace.filesystem import servers
from tests.homespace.filesystem.places import Container


def azurite():
    """Azurite as a report names it: the version that is brought from npm."""
    lock = json.loads((servers.HERE / "azurite" / "package-lock.json").read_text())
    return f"azurite {lock['packages']['node_modules/azurite']['version']}"


def openssh():
    """OpenSSH as a report names it."""
    said = subprocess.run(["ssh", "-V"], capture_output=True, text=True, check=False).stderr
    return "openssh " + said.partition("_")[2].partition(",")[0].replace(" ", "-")


class Held(MutableMapping):
    """A home on a store, by an oracle that knows the whole store."""

    def __init__(self, oracle, prefix):
        self.oracle, self.prefix = oracle, prefix

    def __getitem__(self, path):
        content = self.oracle.read(f"{self.prefix}/{path}")
        if content is None:
            raise KeyError(path)
        return content

    def __setitem__(self, path, content):
        self.oracle.write(f"{self.prefix}/{path}", content)

    def __delitem__(self, path):
        self.oracle.delete(f"{self.prefix}/{path}")

    def __iter__(self):
        return iter(self.oracle.names(self.prefix))

    def __len__(self):
        return len(self.oracle.names(self.prefix))


class OnStore(HomespaceSuite):
    """What suites of homes on a server have in common."""

    mode = "emulator"

    def prepare(self):
        self.stack = ExitStack()
        scratch = self.stack.enter_context(tempfile.TemporaryDirectory(prefix="greyhub-stores-"))
        self.scratch = Path(scratch)
        self.serve()

    def cleanup(self):
        self.stack.close()

    def given(self, name, text):
        """A file that only the user's server would have."""
        path = self.scratch / name
        path.write_text(text)
        return str(path)


class MotoBucket:
    """A bucket in the memory of a moto that serves this process."""

    def __init__(self, name):
        from moto.s3.models import s3_backends

        self.backend, self.name = s3_backends["123456789012"]["aws"], name
        self.backend.create_bucket(name, "us-east-1")

    def read(self, key):
        found = self.backend.buckets[self.name].keys.get(key)
        return None if found is None else found.value

    def write(self, key, content):
        self.backend.put_object(self.name, key, content)

    def delete(self, key):
        self.backend.buckets[self.name].keys.pop(key)

    def names(self, below):
        keys = list(self.backend.buckets[self.name].keys.keys())
        found = {key[len(below) + 1 :] for key in keys if key.startswith(f"{below}/")}
        return {name for name in found if not name.endswith("/") and name}


class OnS3(OnStore):
    """Homes on S3: moto's server, in this process, with its own check of credentials."""

    endpoint = "make.endpoint"
    parts = ("s3fs", "aiobotocore", "moto")

    def serve(self):
        import moto.iam.models
        import moto.settings
        from moto.server import ThreadedMotoServer

        os.environ.setdefault("AWS_EC2_METADATA_DISABLED", "true")
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self.moto = moto
        server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        server.start()
        self.stack.callback(server.stop)
        self.url = "http://{}:{}".format(*server.get_host_and_port())
        self.bucket = MotoBucket("homes")
        self.iam = moto.iam.models.iam_backends["123456789012"]["aws"]
        everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        policy = {"Version": "2012-10-17", "Statement": [everything]}
        self.iam.create_user("us-east-1", "ada")
        self.iam.put_user_policy("ada", "everything", json.dumps(policy))
        self.known = []
        self.keys(f"AKIA{secrets.token_hex(8).upper()}", secrets.token_hex(20))

    def keys(self, key, secret):
        self.known += [key, secret]
        self.given("key", key)
        self.given("secret", secret)

    def config(self):
        files = {"key_file": str(self.scratch / "key"), "secret_file": str(self.scratch / "secret")}
        return {"make": {"endpoint": self.url, "bucket": "homes", **files}}

    def raw(self, user):
        return Held(self.bucket, f"h/{user}")

    def location(self, user):
        return f"homes/h/{user}"

    def secrets(self, user):
        return self.known[1::2]

    def expire(self, user):
        # From now on keys are looked at, and none is known.
        self.moto.settings.INITIAL_NO_AUTH_ACTION_COUNT = 0
        for key in list(self.iam.access_keys):
            self.iam.delete_access_key(key, "ada")

    def renew(self, user):
        key = self.iam.create_access_key("ada")
        self.keys(key.access_key_id, key.secret_access_key)

    def sweep(self):
        self.moto.settings.INITIAL_NO_AUTH_ACTION_COUNT = float("inf")
        super().sweep()


ACCOUNT = "devstoreaccount1"
ACCOUNT_KEY = (  # the one that Azurite's documentation tells everyone
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)


class OnAzure(OnStore):
    """Homes on Azure Blob Storage: Azurite, which checks signatures as Azure does."""

    endpoint = "make.endpoint"
    parts = ("adlfs", "azure-storage-blob", azurite())

    def serve(self):
        from azure.storage.blob import ContainerClient

        self.url = f"{self.stack.enter_context(servers.azurite(self.scratch))}/{ACCOUNT}"
        self.client = ContainerClient(self.url, "homes", credential=ACCOUNT_KEY)
        self.client.create_container()
        self.stack.callback(self.client.close)
        self.known = []
        self.renew("")

    def config(self):
        return {"make": {"endpoint": self.url, "sas_file": str(self.scratch / "sas")}}

    def raw(self, user):
        return Held(Container(self.client), f"h/{user}")

    def location(self, user):
        return f"homes/h/{user}"

    def secrets(self, user):
        return self.known

    def expire(self, user):
        self.client.set_container_access_policy({})

    def renew(self, user):
        from azure.storage.blob import AccessPolicy, generate_container_sas

        name = f"policy{len(self.known)}"
        now = datetime.now(UTC)
        policy = AccessPolicy("racwdlt", now + timedelta(hours=1), now - timedelta(hours=1))
        self.client.set_container_access_policy({name: policy})
        sas = generate_container_sas(ACCOUNT, "homes", ACCOUNT_KEY, policy_id=name)
        self.known.append(parse_qs(sas)["sig"][0])
        self.given("sas", sas)


class HeldInAzure(Held):
    """Where thousands of files are put at once, as quickly as Azurite takes them."""

    def __init__(self, account, prefix):
        super().__init__(account.oracle, prefix)
        self.account = account

    def update(self, files):
        import obstore
        from obstore.store import AzureStore

        store = AzureStore(
            "homes",
            account_name=ACCOUNT,
            account_key=ACCOUNT_KEY,
            endpoint=self.account.url,
            client_options={"root_certificate": self.account.authority.ca.read_bytes()},
        )

        async def together():
            few = asyncio.Semaphore(16)

            async def one(path):
                async with few:
                    await obstore.put_async(store, f"{self.prefix}/{path}", files[path])

            await asyncio.gather(*map(one, files))

        with ThreadPoolExecutor(1) as pool:  # a loop may run in this thread
            pool.submit(asyncio.run, together()).result()

    def clear(self):
        """All homes at once: a clause is over, and one by one would take longer than it."""
        self.account.client.delete_container("homes")
        self.account.client.create_container("homes")


class OnAzureLogin(OnStore):
    """Homes on Azurite, which takes tokens over TLS, and looks when they end."""

    endpoint = "make.endpoint"
    parts = ("adlfs", "azure-storage-blob", azurite())

    def serve(self):
        self.account = self.stack.enter_context(account_in(self.scratch))
        self.hub = self.stack.enter_context(TokenHub(lifetime=4).serving())
        self.stack.enter_context(patch.dict(os.environ, self.hub.environment))

    @property
    def proxy(self):
        if self._proxy is None:
            authority = self.account.authority
            self._proxy = FaultProxy(self.account.url, authority.serving(), authority.trusting())
        return self._proxy

    def config(self):
        ca = str(self.account.authority.ca)
        return {"make": {"endpoint": self.account.url, "ca_bundle": ca}}

    def raw(self, user):
        return HeldInAzure(self.account, user)

    def location(self, user):
        return f"homes/{user}"

    def secrets(self, user):
        HubCredential(user, "storage").token()
        return list(self.hub.given)

    def expire(self, user):
        self.hub.refusing = "your login has ended: log in again"
        time.sleep(max(0.0, self.hub.ends + 0.1 - time.time()))  # so long is a token good

    def renew(self, user):
        self.hub.refusing = ""


class OnSFTP(OnStore):
    """Homes behind OpenSSH's server: no HTTP, so no faults come in between."""

    mode = "real"
    parts = ("paramiko", openssh())

    def serve(self):
        self.ssh = self.stack.enter_context(servers.sshd(self.scratch))

    def config(self):
        where = {"port": self.ssh.port, "key_filename": self.ssh.key_filename}
        return {"make": {"root": str(self.ssh.root), "username": getpass.getuser(), **where}}

    def raw(self, user):
        return Directory(self.ssh.root / user)

    def location(self, user):
        return str(self.ssh.root / user)


class OnWebDAV(OnStore):
    """Homes on a WebDAV server."""

    mode = "real"
    endpoint = "make.endpoint"
    writes = "PUT"
    deletes = "DELETE MOVE"
    parts = ("webdav4", "wsgidav")

    def serve(self):
        self.root = self.scratch / "dav"
        self.root.mkdir()
        self.url = self.stack.enter_context(servers.wsgidav(self.root))

    def config(self):
        return {"make": {"endpoint": self.url, "password_file": self.given("pw", servers.PASSWORD)}}

    def raw(self, user):
        return Directory(self.root / user)

    def location(self, user):
        return f"/{user}"

    def secrets(self, user):
        return [servers.PASSWORD]
