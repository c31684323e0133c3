"""The contract of the data slot: what a mapping from names to datasets promises."""

from greyhub.conformance.data.datasets import SECRET, Dataset, Parameter
from greyhub.conformance.data.intake_files import OnDisk, Served
from greyhub.conformance.data.suite import CONTRACT, DataSuite

__all__ = ["CONTRACT", "SECRET", "DataSuite", "Dataset", "OnDisk", "Parameter", "Served"]
