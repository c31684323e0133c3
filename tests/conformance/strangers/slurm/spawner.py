"""SlurmSpawner for users without accounts on this machine: nothing else is changed."""

from batchspawner import SlurmSpawner
from traitlets import default


class AccountlessSlurmSpawner(SlurmSpawner):
    """As the project's own tests do it: homes are where all may write."""

    @default("req_homedir")
    def _req_homedir_default(self):
        return "/tmp"

    def user_env(self, env):
        return {**env, "USER": self.user.name}
