from greyhub.conformance import DataSuite
from examples.data.toydata import ToyData
from examples.data.toydata.service import Service  # your platform's own client


# fmt: off
class TestToyData(DataSuite):
    adapter, service, endpoint = ToyData, Service(), "ToyData.service"
    claims = {"acl", "credentials", "export", "parameters", "remote"}
    declines = dict.fromkeys(["dask", "documents", "nested"], "the toy service has none")
    prepare, cleanup = service.start, service.stop
    def config(self): return {"ToyData": self.service.options}
    def make(self, user): return self.service.admit(user, self.secret) or super().make(user)
    def publish(self, datasets): self.service.shelf.publish(datasets)
    def restore(self, exported): self.service.shelf.restore(exported)
    def content(self): return self.service.shelf.content()
    def missing(self, path): return self.service.shelf.without(path)
