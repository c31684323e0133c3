"""Dask clusters of Azure ML's jobs, by a broker."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final

from traitlets import Dict, Float, Integer, List, TraitError, Unicode, default, validate

from greyhub.adapter import Contribution, Finding
from greyhub.addresses import SAFE
from greyhub.azureml.jobs import LONGEST
from greyhub.clusters.brokered import SERVICE, BrokeredCluster
from greyhub.errors import ConfigError
from greyhub.option_kinds import Address
from greyhub.public_address import public_base
from greyhub.rendezvous.addresses import valid_networks

KEPT: Final = ("AZURE_", "IDENTITY_", "MSI_", "HTTPS_PROXY", "NO_PROXY", "https_proxy", "no_proxy")
"""What variables begin with by which the hub, and so the broker, reaches and asks Azure."""

SECRET: Final = ("client_secret", "client_certificate", "certificate_password")


class AzureMLCluster(BrokeredCluster):
    """A job of an Azure ML workspace for each scheduler and each worker."""

    modules = ("dask_gateway_server", "azure.mgmt.core", "azure.identity", "aiohttp")
    extra = "greyhub[azureml]"
    reads = ("greyhub.azureml.settings.AzureML",)
    needs: ClassVar[Mapping[str, str]] = {}

    job_environment = Unicode(
        "greyhub",
        help="The environment of the workspace that jobs run in: its name, which is its latest "
        "version, ``name:version``, a resource id, or one of a registry, "
        "``azureml://registries/…``. It has ``greyhub[broker,agent]``, and what the notebooks "
        "compute with, in the same versions. A cluster keeps the version that it began with.",
    ).tag(config=True, example="dask:3")
    compute = Unicode(
        help="The compute cluster of the workspace that workers and schedulers run on, a job on "
        "each node. Either this or ``instance_type``."
    ).tag(config=True, example="cpu-cluster")
    instance_type = Unicode(
        help="The size of machines of serverless jobs, where there is no ``compute``."
    ).tag(config=True, example="Standard_DS3_v2")
    scheduler_compute = Unicode(help="Another compute cluster for schedulers.").tag(
        config=True, example="small-cluster"
    )
    scheduler_instance_type = Unicode(help="Another size for schedulers.").tag(
        config=True, example="Standard_DS11_v2"
    )
    job_properties = Dict(help="More properties of the jobs, as Azure's REST API has them.").tag(
        config=True, example={"queueSettings": {"jobTier": "Standard"}}
    )
    job_python = Unicode("python", help="The environment's interpreter that has greyhub.").tag(
        config=True, example="/opt/conda/bin/python"
    )
    experiment = Unicode("dask", help="The experiment that jobs are shown in.").tag(config=True)
    lifetime = Integer(
        86400,
        min=600,
        max=LONGEST,
        help="Seconds after which Azure ML itself ends a job, whatever has become of the hub.",
    ).tag(config=True)
    death_timeout = Float(
        120, min=10, help="Seconds after which a worker ends that finds no scheduler."
    ).tag(config=True)
    networks: List[Any] = List(
        Unicode(),
        help="The networks in which jobs run. A scheduler says where it listens, and is its "
        "user's; the broker and its proxy connect to no other network.",
    ).tag(config=True, example=["10.1.0.0/16"])
    jobs_hub_url = Address(
        protocols=SAFE,
        help="The hub's address, as the jobs reach it, with its base URL. By default, "
        "``c.JupyterHub.public_url``.",
    ).tag(config=True, example="https://hub.example.org/")
    authorities = Unicode(
        help="A file of certificates, as PEM, of who vouches for the hub's; by default, jobs "
        "trust who their system trusts."
    ).tag(config=True, example="/etc/greyhub/hub-ca.pem")

    @default("user_limits")
    def _each_costs(self) -> dict[str, Any]:
        return {"clusters": 3, "workers": 20}

    @validate("idle_timeout")
    def _ends(self, proposal: Any) -> float:
        if proposal.value <= 0:
            raise TraitError("idle_timeout: clusters of jobs must end when they are idle")
        return float(proposal.value)

    @validate("networks")
    def _are_networks(self, proposal: Any) -> list[str]:
        return valid_networks("networks", proposal.value)

    @property
    def hub_id(self) -> str:
        """What tells this hub's jobs from others'."""
        from greyhub.azureml.names import hub_id

        return hub_id(Path(self.parent.private))

    @property
    def jobs_url(self) -> str:
        """The broker's address, as jobs reach it: by the hub's own proxy."""
        public = self.jobs_hub_url.rstrip("/") or public_base(self.parent.config)
        if not public:
            raise ConfigError(
                "it is not said by which address jobs of Azure ML reach this hub",
                where="c.JupyterHub.public_url",
                fix="set it, such as https://hub.example.org/; or, where they take another way, "
                f"c.{type(self).__name__}.jobs_hub_url",
            )
        return f"{public}/services/{SERVICE}"

    def backend(self) -> tuple[str, Mapping[str, Any]]:
        """Jobs."""
        made_of = {
            "environment": self.job_environment,
            "compute": self.compute,
            "instance_type": self.instance_type,
            "scheduler_compute": self.scheduler_compute,
            "scheduler_instance_type": self.scheduler_instance_type,
            "experiment": self.experiment,
            "lifetime": self.lifetime,
            "python": self.job_python,
            "authorities": Path(self.authorities).read_text() if self.authorities else "",
            "more": dict(self.job_properties),
        }
        return "greyhub.broker.azureml_jobs.AzureMLBackend", {
            "state_dir": str(self.parent.private),
            "rendezvous_url": self.jobs_url,
            "local_api": f"http://127.0.0.1:{self.api_port}/api",
            "networks": list(self.networks),
            "death_timeout": self.death_timeout,
            "jobs": made_of,
        }

    def settings(self) -> dict[str, Any]:
        """What the broker is told, and which workspace it asks."""
        found = super().settings()
        shared = found["config"]["BrokerBackend"]
        shared |= {"api_url": f"{self.jobs_url}/api", "python": self.job_python}
        azure = self._azure
        found["config"]["AzureML"] = {
            name: getattr(azure, name)
            for name in azure.trait_names(config=True)
            if name not in SECRET
        }
        return found

    @property
    def gateway_ticket(self) -> dict[str, Any]:
        """Where the broker is. Jobs have another interpreter than the notebook."""
        found = super().gateway_ticket
        return {**found, "options": {**found["options"], "python": ""}}

    @property
    def _azure(self) -> Any:
        from greyhub.azureml.settings import AzureML

        return AzureML(config=self.parent.config)

    def contribute(self) -> Contribution:
        """The broker, which is told how to ask Azure."""
        self._azure.check()
        self._check()
        made = super().contribute()
        secret = {name: value for name in SECRET if (value := getattr(self._azure, name))}
        for service in made.services:
            service["environment"].update(
                {name: text for name, text in os.environ.items() if name.startswith(KEPT)}
            )
            if secret:
                service["environment"]["GREYHUB_BROKER_SECRETS"] = json.dumps({"AzureML": secret})
        return made

    def _check(self) -> None:
        section = f"c.{type(self).__name__}"
        if not self.job_environment:
            raise ConfigError(
                "the jobs have no environment",
                where=f"{section}.job_environment",
                fix="name one of the workspace, such as 'greyhub'",
            )
        if bool(self.compute) == bool(self.instance_type):
            raise ConfigError(
                "jobs run either on a compute cluster or on serverless machines of a size",
                where=f"{section}.compute",
                fix="set one of compute and instance_type",
            )
        if not self.networks:
            raise ConfigError(
                "it is not said in which networks jobs run: the broker would connect to none",
                where=f"{section}.networks",
                fix="set it, such as ['10.1.0.0/16']",
            )

    async def check(self) -> Sequence[Finding]:
        """Is the workspace there, and may the broker submit and cancel jobs?"""
        from greyhub.azureml.live_check import JOBS, environment, workspace

        sizes = {each for each in (self.instance_type, self.scheduler_instance_type) if each}
        option = f"c.{type(self).__name__}.instance_type"
        found = await workspace(self._azure, JOBS, "make and end clusters", sizes, option)
        if not any(each.level == "error" for each in found):
            where = f"c.{type(self).__name__}.job_environment"
            found += await environment(self._azure, self.job_environment, where)
        return [*await super().check(), *found]

    def label(self) -> str:
        """What a worker is."""
        where = self.compute or self.instance_type
        return f"Dask by jobs of Azure ML on {where}, with workers of {self.worker_memory}"
