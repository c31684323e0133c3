"""The contract of the homespace slot: what an fsspec filesystem of a user's files promises."""

from greyhub.conformance.homespace.backend_files import Directory, full_disk
from greyhub.conformance.homespace.suite import CONTRACT, HomespaceSuite

__all__ = ["CONTRACT", "Directory", "HomespaceSuite", "full_disk"]
