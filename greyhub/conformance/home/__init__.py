"""The contract of homes: what a filesystem promises whose root is a user's home."""

from greyhub.conformance.home.raw import Directory, full_disk
from greyhub.conformance.home.suite import CONTRACT, HomeSuite

__all__ = ["CONTRACT", "Directory", "HomeSuite", "full_disk"]
