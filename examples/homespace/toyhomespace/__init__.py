"""Homes on the toy store."""

from .adapter import ToyHomespace
from .filesystem import ToyHome

__all__ = ["ToyHome", "ToyHomespace"]
