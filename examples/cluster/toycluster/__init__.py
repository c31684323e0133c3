"""Dask clusters in the toy cloud."""

from .cluster import ToyCluster

__all__ = ["ToyCluster"]
