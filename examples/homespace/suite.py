from greyhub.conformance import HomespaceSuite
from examples.homespace.toyhomespace import ToyHomespace
from examples.homespace.toyhomespace.store import Shelf, Store  # your platform's own

HAS = "append conditional_write credentials directories exclusive_create remote"


# fmt: off
class TestToyHomespace(HomespaceSuite):
    adapter, store, endpoint, claims = ToyHomespace, Store(), "ToyHomespace.store", set(HAS.split())
    declines = dict.fromkeys(["permissions", "staleness", "symlinks"], "the toy store has none")
    def prepare(self): self.store.start()
    def cleanup(self): self.store.stop()
    def config(self): return {"ToyHomespace": {"store": self.store.url, "token_file": self.store.file}}
    def raw(self, user): return Shelf(self.store, f"homes/{user}/")
    def location(self, user): return f"homes/{user}"
    def secrets(self, user): return self.store.tokens
    def expire(self, user): self.store.tokens.clear()
    def renew(self, user): self.store.renew()
