"""A JupyterHub spawner for the toy cloud."""

from .spawner import ToySpawner

__all__ = ["ToySpawner"]
