"""An Azure ML workspace that is simulated on this machine, for the tests of adapters.

It speaks the resource manager's protocol over TLS, with a token endpoint like
Entra ID's, checks every request against the official types, and runs what it is
asked to run: an instance is a machine with its setup scripts and services, a job
a process. Told so it throttles, fails, hangs and lags.

It needs aiohttp, which ``greyhub[azureml]`` brings.
"""

from greyhub.conformance.testkit.azureml.arm import Request
from greyhub.conformance.testkit.azureml.faults import Fault
from greyhub.conformance.testkit.azureml.rights import ROLES, Role
from greyhub.conformance.testkit.azureml.simulator import Simulator
from greyhub.conformance.testkit.azureml.state import SIZES, Size, Times

__all__ = ["ROLES", "SIZES", "Fault", "Request", "Role", "Simulator", "Size", "Times"]
