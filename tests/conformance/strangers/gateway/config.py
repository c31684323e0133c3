"""A dask-gateway for one suite: the configuration that its server reads."""

import os
import sys

from dask_gateway_server.backends.local import UnsafeLocalBackend
from dask_gateway_server.options import Float, Options

c = get_config()  # noqa: F821
c.DaskGateway.address = f"127.0.0.1:{os.environ['GATEWAY_PORT']}"
c.DaskGateway.backend_class = UnsafeLocalBackend
c.Proxy.address = f"127.0.0.1:{os.environ['GATEWAY_PUBLIC_PORT']}"
c.UnsafeLocalBackend.clusters_directory = os.environ["GATEWAY_FOLDER"]
c.UnsafeLocalBackend.sigint_timeout = 2
c.UnsafeLocalBackend.check_timeouts_period = 0.5
c.UnsafeLocalBackend.cluster_status_period = 2
c.UnsafeLocalBackend.cluster_options = Options(Float("idle_timeout", default=0))
# distributed has no dask-scheduler and dask-worker any more, which are the defaults.
start = [sys.executable, os.path.join(os.path.dirname(__file__), "start.py")]
c.ClusterConfig.scheduler_cmd = [*start, os.environ["GATEWAY_FOLDER"], "scheduler"]
c.ClusterConfig.worker_cmd = [*start, os.environ["GATEWAY_FOLDER"], "worker"]
c.ClusterConfig.cluster_max_workers = int(os.environ.get("GATEWAY_MOST", "2"))
c.ClusterConfig.worker_cores = 1
c.ClusterConfig.adaptive_period = 0.5
