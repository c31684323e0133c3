"""What the pods of a cluster are made of, as the administrator and the user have said."""

from __future__ import annotations

from typing import Any

from dask_gateway_server.traitlets import MemoryLimit
from traitlets import Dict, Float, Integer, List, Unicode

from greyhub.broker.options import BrokerClusterConfig


class PodClusterConfig(BrokerClusterConfig):
    """The settings of one cluster of pods. Sizes are in bytes, or text such as ``"512 M"``."""

    image = Unicode(
        help="The image of schedulers and workers; by default, the one of the server that asks."
    ).tag(config=True)
    image_pull_policy = Unicode(help="By default, as the server's pod has it.").tag(config=True)
    image_pull_secrets: List[Any] = List(
        Unicode(), help="Names of Secrets; by default, as the server's pod has them."
    ).tag(config=True)

    uid = Integer(None, allow_none=True, help="By default, the server's, or 1000.").tag(config=True)
    gid = Integer(None, allow_none=True, help="By default, the server's.").tag(config=True)
    fs_gid = Integer(None, allow_none=True, help="By default, the server's, or 100.").tag(
        config=True
    )
    supplemental_gids: List[Any] = List(Integer(), help="By default, the server's.").tag(
        config=True
    )

    scheduler_cores_guarantee = Float(0.1, help="Cores kept free for a scheduler.").tag(config=True)
    scheduler_memory_guarantee = MemoryLimit("512 M", help="Memory kept free for it.").tag(
        config=True
    )
    worker_cores_guarantee = Float(
        None, allow_none=True, help="Cores kept free for a worker; by default, all it may use."
    ).tag(config=True)
    worker_memory_guarantee = MemoryLimit(
        None, allow_none=True, help="Memory kept free for it; by default, all it may use."
    ).tag(config=True)
    worker_resources = Dict(help="Further limits of a worker: ``{'nvidia.com/gpu': '1'}``.").tag(
        config=True
    )

    node_selector = Dict(help="Labels of the nodes for schedulers and workers.").tag(config=True)
    tolerations: List[Any] = List(Dict(), help="Of schedulers and workers.").tag(config=True)
    worker_node_selector = Dict(help="Further labels of the nodes for workers.").tag(config=True)
    worker_tolerations: List[Any] = List(Dict(), help="Further ones, of workers.").tag(config=True)
    priority_class_name = Unicode(help="The priority class of schedulers.").tag(config=True)
    worker_priority_class_name = Unicode(help="The priority class of workers.").tag(config=True)

    volumes: List[Any] = List(Dict(), help="Volumes of schedulers and workers.").tag(config=True)
    volume_mounts: List[Any] = List(Dict(), help="Where they are mounted.").tag(config=True)
    extra_labels = Dict(help="Further labels of the pods.").tag(config=True)
    extra_annotations = Dict(help="Further annotations of the pods.").tag(config=True)
