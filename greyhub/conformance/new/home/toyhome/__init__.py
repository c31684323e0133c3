"""Homes on the toy store."""

from .adapter import ToyHomes
from .filesystem import ToyHome

__all__ = ["ToyHome", "ToyHomes"]
