"""What the adapters for Azure ML share: its REST API, one list of computes, storage accounts.

`AzureMLCluster` is for whoever has a workspace and no hub.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from greyhub.azureml.dask_cluster import AzureMLCluster

__all__ = ["AzureMLCluster"]


def __getattr__(name: str) -> object:
    """Dask is imported by whoever asks for the cluster."""
    if name == "AzureMLCluster":
        from greyhub.azureml.dask_cluster import AzureMLCluster

        return AzureMLCluster
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
