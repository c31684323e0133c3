"""One part of a cluster as a job of Azure ML: its name, its tags, what Azure ML is asked for."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from dask_gateway_server.backends.db_base import Cluster

from greyhub.azureml.agent_jobs import TLS, directory, files
from greyhub.azureml.names import CLUSTER, tags
from greyhub.broker.remote_parts import SCHEDULER, Part, cluster_of, part_name
from greyhub.names import short_id
from greyhub.rendezvous.script import job_command

AUTHORITIES: Final = "hub.pem"

TRUST: Final = "SSL_CERT_FILE"
"""The variable that names who vouches for a hub with a certificate of its own."""


@dataclass(frozen=True)
class Jobs:
    """What the jobs of one hub have in common.

    Parameters
    ----------
    hub : str
        Tells this hub's jobs from others'.
    rendezvous : str
        Where agents ask, ``https://hub.example.org/services/clusters``.
    secret : str
        The broker's, from which the jobs' nonces are made.
    scope : str
        The workspace's resource id.
    environment : str
        The option that names an environment of Azure ML, which has greyhub and Dask.
    compute, instance_type, scheduler_compute, scheduler_instance_type : str
        Where they run: a compute cluster of the workspace, or a size for serverless jobs.
    lifetime : int
        Seconds after which Azure ML itself ends a job.
    """

    hub: str
    rendezvous: str
    secret: str
    scope: str
    environment: str
    compute: str = ""
    instance_type: str = ""
    scheduler_compute: str = ""
    scheduler_instance_type: str = ""
    experiment: str = "dask"
    lifetime: int = 86400
    python: str = "python"
    authorities: str = ""
    plain_http: bool = False
    more: Mapping[str, Any] = field(default_factory=dict)

    def name(self, part: Part) -> str:
        """The job's name: the same every time."""
        return f"dask-{short_id('hub', self.hub)}-{cluster_of(part).name}-{part_name(part)}"

    def tag(self, cluster: str) -> str:
        """The name of a tag that the jobs of this cluster alone have: Azure ML lists by it."""
        return f"{CLUSTER}-{short_id(self.hub, cluster)}"

    def tags(self, cluster: Cluster) -> dict[str, str]:
        """The tags of the jobs of a cluster."""
        whose = tags(self.hub, cluster.username, cluster.config.server)
        return {**whose, CLUSTER: cluster.name, self.tag(cluster.name): ""}

    def nonce(self, job: str) -> str:
        """What the job's agent shows, once: a broker that was killed makes the same again."""
        return hmac.new(self.secret.encode(), f"nonce {job}".encode(), "sha256").hexdigest()

    def variables(self, job: str, environment: Mapping[str, str]) -> dict[str, str]:
        """An environment of dask-gateway's, with the files of TLS where the agent puts them."""
        return {
            name: str(files(job) / value) if name.startswith(TLS) or name == TRUST else value
            for name, value in environment.items()
        }

    def body(self, part: Part) -> dict[str, Any]:
        """What Azure ML is asked for: nothing in it is secret but the nonce, used once."""
        cluster, job = cluster_of(part), self.name(part)
        schedules = part_name(part) == SCHEDULER
        compute = (schedules and self.scheduler_compute) or self.compute
        size = (schedules and self.scheduler_instance_type) or self.instance_type
        command = job_command(
            hub=self.rendezvous,
            nonce=self.nonce(job),
            directory=str(directory(job)),
            python=self.python,
            authorities=self.authorities,
            plain_http=self.plain_http,
        )
        said: dict[str, Any] = {
            "jobType": "Command",
            "displayName": f"Dask {'scheduler' if schedules else 'worker'} {cluster.name[:8]}",
            "experimentName": self.experiment,
            "command": command,
            "environmentId": cluster.state["environment"],
            "limits": {"jobLimitsType": "Command", "timeout": f"PT{self.lifetime}S"},
            "resources": {"instanceCount": 1, **({"instanceType": size} if size else {})},
            "tags": self.tags(cluster),
        }
        if compute:
            said["computeId"] = f"{self.scope}/computes/{compute}"
        return {"properties": {**self.more, **said}}
