"""Clusters of dask-cloudprovider, whose machines are a simulation's."""

import os
from unittest import mock

from greyhub.conformance.cluster import ClusterSuite, Part
from tests.conformance.strangers.ec2 import Region, missing

AWS = {
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "a-secret-that-opens-nothing",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "NO_PROXY": "*",
}
"""What a notebook knows of its account."""


class EC2(ClusterSuite):
    """dask-cloudprovider with EC2.

    moto answers EC2's API; what an instance is asked to run runs in a network namespace of
    this machine. It was given a security group, since without one it makes none (dask-cloudprovider
    issue 481), and an image that has Docker.
    """

    adapter = "dask_cloudprovider.aws:EC2Cluster"
    mode = "emulator"
    parts = ("distributed", "aiobotocore", "moto")
    endpoint = "EC2Cluster.endpoint"
    claims = {
        "adaptive": True,
        "tls": True,
        "idle_timeout": {"EC2Cluster.scheduler_options": {"idle_timeout": "2s"}},
        "own_scheduler": True,
        "remote": True,
        "reaps_on_client_death": 20,
    }
    declines = {
        "quota": "nothing bounds it but the account",
        "shared": "whoever has the account's keys has all clusters; it knows of no users",
        "reattach": "its documentation names no way back to a cluster",
        "groups": "each worker is a machine of its own",
        "tokens": "a task has no business with the hub",
    }

    hindrance = staticmethod(missing)

    def prepare(self):
        import boto3

        self.environment = mock.patch.dict(os.environ, AWS)
        self.environment.start()
        self.region = Region()
        ec2 = boto3.client("ec2", "us-east-1", endpoint_url=self.region.url)
        vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
        self.group = ec2.create_security_group(GroupName="dask", Description="Dask", VpcId=vpc)
        self.image = ec2.register_image(Name="ubuntu-with-docker")

    def cleanup(self):
        self.region.close()
        self.environment.stop()

    def config(self):
        return {
            "EC2Cluster": {
                "endpoint": self.region.url,
                "region": "us-east-1",
                "security_groups": [self.group["GroupId"]],
                "ami": self.image["ImageId"],
                "bootstrap": False,  # the image has Docker
                "use_private_ip": True,  # a notebook is in the same VPC
                "instance_tags": {"user": "{user}"},
            }
        }

    def make(self, user, workers=0, **options):
        given = {**self.overridden(user)["EC2Cluster"], **options}
        os.environ["AWS_ENDPOINT_URL_EC2"] = given.pop("endpoint")
        cluster = self.subject()(**given)
        if workers:
            cluster.scale(workers)
        return cluster

    def alive(self):
        return [self.part(each) for each in self.region.instances()]

    def part(self, instance):
        """An instance, by what its tags say; at first it has no name."""
        tags = instance["tags"]
        kind = "scheduler" if tags.get("Name", "").endswith("-scheduler") else "worker"
        labels = {"user": tags.get("user", ""), "cluster": tags.get("Dask Cluster", "")}
        words = [word for line in instance["commands"] for word in line.split()]
        return Part(instance["id"], kind, labels, words)

    def kill(self, part):
        self.region.terminate(part.id)

    def fault(self, kind, room=0):
        if kind == "full":
            most = len(self.region.instances()) + 1 + room  # a scheduler, too
            return self.region.fault(most=most)
        return self.region.fault(absent="dask_scheduler")

    def reap(self):
        """Nothing: by its documentation, what is left times out by itself."""
