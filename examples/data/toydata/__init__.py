"""Catalogues of the toy service."""

from .adapter import ToyData
from .catalog import ToyCatalog
from .dataset import ToyDataset

__all__ = ["ToyCatalog", "ToyData", "ToyDataset"]
