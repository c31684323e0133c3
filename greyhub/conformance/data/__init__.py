"""The contract of catalogues: what a mapping from names to datasets promises."""

from greyhub.conformance.data.disk import OnDisk, Served
from greyhub.conformance.data.published import SECRET, Dataset, Parameter
from greyhub.conformance.data.suite import CONTRACT, DataSuite

__all__ = ["CONTRACT", "SECRET", "DataSuite", "Dataset", "OnDisk", "Parameter", "Served"]
