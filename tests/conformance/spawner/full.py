"""A spawner and a cloud with everything that the contract knows: what the mutants are made of."""

import html
import os
import shutil
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tornado.web import HTTPError

from examples.spawner.toyspawner import ToySpawner
from examples.spawner.toyspawner.cloud import Api, Cloud, Machine

SIZES = ("small", "large")


class FullMachine(Machine):
    """A machine that has a volume, limits and something to say."""

    def __init__(self, wanted):
        super().__init__(wanted)
        self.volume, self.size, self.limits = wanted["volume"], wanted["size"], wanted["limits"]
        self.events = []

    def as_json(self):
        return {**super().as_json(), "events": list(self.events)}


class FullApi(Api):
    """Volumes too: POST /volumes {"old", "new", "data"}, DELETE /volumes/NAME."""

    def do_POST(self):
        if self.path == "/volumes":
            self.answer(*self.cloud.change_volume(**self.body()))
        else:
            super().do_POST()

    def do_DELETE(self):
        url = urlsplit(self.path)
        if url.path.startswith("/volumes/"):
            self.answer(*self.cloud.delete_volume(unquote(url.path.rpartition("/")[2])))
        else:
            super().do_DELETE()


class FullCloud(Cloud):
    """A cloud with volumes."""

    api, machine = FullApi, FullMachine

    def __init__(self):
        super().__init__()
        self.volumes = {}

    def equip(self, machine, wanted):
        self.volumes.setdefault(machine.volume, f"made with {machine.labels['run']}")

    def change_volume(self, old, new, data=None):
        if old not in self.volumes:
            return 404, {"message": f"there is no volume {old!r}"}
        self.volumes[new] = data or self.volumes[old]
        if new != old:
            del self.volumes[old]
        return 204, None

    def delete_volume(self, name):
        return (204, None) if self.volumes.pop(name, None) else (404, {"message": "no volume"})


class FullSpawner(ToySpawner):
    """The toy spawner with every capability."""

    def check(self):
        """Refuse what cannot be; nothing of the base's refusals is left."""
        if self.user_options.get("size", "small") not in SIZES:
            raise HTTPError(400, "size must be one of small, large")

    def wanted(self):
        return {
            **super().wanted(),
            "volume": self.volume(),
            "size": self.user_options.get("size", "small"),
            "limits": {"mem_limit": self.mem_limit, "cpu_limit": self.cpu_limit},
        }

    def volume(self, name=None):
        """The volume's name: never shared by two servers."""
        return f"home-{self.identity(name)}"

    def options_from_form(self, form):
        return {"size": form.get("size", ["small"])[0]}

    def address_of(self, machine):
        scheme = "https" if self.internal_ssl else "http"
        return f"{scheme}://{machine['address']}:{machine['port']}"

    async def move_certs(self, paths):
        """Copy them to where only this server's owner reads: the pair has the user's name alone."""
        folder = Path(self.certificates()) / self.identity()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        moved = {}
        for kind, path in paths.items():
            target = folder / os.path.basename(path)
            shutil.copy(path, target)
            target.chmod(0o600)
            moved[kind] = str(target)
        return moved

    def certificates(self):
        return os.path.join(self.user.settings["internal_certs_location"], "machines")

    async def progress(self):
        yield {"progress": 10, "message": "Asking the cloud for a machine"}
        told = 0
        while self._starting and self._spawn_pending:
            for text in (await self.events())[told:]:
                told += 1
                yield {"message": text, "html_message": f"<i>{html.escape(text)}</i>"}
            await self.pause()
        yield {"progress": 80, "message": "The machine has an address"}

    async def events(self):
        try:
            found = (await self.machines()).get(self.machine)
        except Exception:
            return []
        return found["events"] if found else []

    async def delete_forever(self):
        await self.ask_gone("/volumes/" + self.volume())

    async def rename(self, old, new):
        await self.ask("POST", "/volumes", {"old": self.volume(old), "new": self.volume(new)})

    async def list_orphans(self, known):
        """The machines of this hub whose user and server the hub does not know."""
        mine = [each for each in (await self.machines()).values() if self.is_mine(each["labels"])]
        return [
            each["name"]
            for each in mine
            if (each["labels"]["user"], each["labels"]["server"]) not in known
        ]

    def is_mine(self, labels):
        return labels.get("hub") == self.namespace

    async def reap(self, known):
        for name in await self.list_orphans(known):
            await self.remove(name)
