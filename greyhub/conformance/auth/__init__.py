"""The contract of the auth slot: who may log in, under which name, and for how long."""

from greyhub.conformance.auth.suite import CONTRACT, AuthSuite, Restriction
from greyhub.conformance.testkit.provider import Person

__all__ = ["CONTRACT", "AuthSuite", "Person", "Restriction"]
