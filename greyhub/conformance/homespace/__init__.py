"""The contract of homes: what a filesystem promises whose root is a user's home."""

from greyhub.conformance.homespace.raw import Directory, full_disk
from greyhub.conformance.homespace.suite import CONTRACT, HomespaceSuite

__all__ = ["CONTRACT", "Directory", "HomespaceSuite", "full_disk"]
