"""People and their accounts in the backend, and the backend's outages, for auth clauses."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

from greyhub.conformance.auth.suite import AuthSuite
from greyhub.conformance.case import Case
from greyhub.conformance.record import shorten
from greyhub.conformance.testkit.hub import Hub
from greyhub.conformance.testkit.provider import Person, Provider


class AccountsCase(Case):
    """The half of a clause's case that is about the backend's accounts."""

    suite: AuthSuite

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._forms: dict[tuple[str, str], dict[str, str]] = {}
        if self.suite.provider is not None:
            self.suite.provider.forget()
            self.suite.provider.overage = bool(self.claims("overage"))

    @property
    def provider(self) -> Provider:
        """The suite's identity provider."""
        assert self.suite.provider is not None
        return self.suite.provider

    def person(self, name: str, **facts: Any) -> Person:
        """Somebody with an account in the backend."""
        person = Person(name, **facts)
        if self.suite.provider is not None:
            self.provider.enrol(person)
        return person

    def change(self, person: Person, **facts: Any) -> Person:
        """Change a person's account; who they are stays."""
        if "name" in facts:
            facts = {"email": "", **facts}
        changed = dataclasses.replace(person, **facts)
        self.did(f"in the backend, {person.name} changes: {shown(facts)}")
        if self.suite.provider is not None:
            self.provider.enrol(changed)
        return changed

    def named(self, *people: Person) -> set[str]:
        """The names that people have in the hub."""
        return {self.suite.hub_name(person) for person in people}

    def name(self, person: Person) -> str:
        """The name that a person has in the hub."""
        return self.suite.hub_name(person)

    def form(self, hub: Hub, person: Person) -> dict[str, str]:
        """What a person types into the login form."""
        key = (hub.name, str(dataclasses.asdict(person)))
        if key not in self._forms:
            self._forms[key] = dict(self.hook("account", person, hub))
        return dict(self._forms[key])

    def secrets(self, hub: Hub, person: Person) -> list[str]:
        """What nobody may read: all that the provider has issued, or what a person types."""
        if self.suite.provider is not None:
            return self.provider.secrets()
        form = self.form(hub, person)
        return [text for name, text in form.items() if name != self.suite.name_claim and text]

    def outage(self, kind: str) -> AbstractContextManager[Any]:
        """Break the backend while a block lasts."""
        self.did(f"the backend: {kind}")
        broken: AbstractContextManager[Any] = self.hook("outage", kind)
        return broken


def shown(values: Mapping[str, Any]) -> str:
    """Values by name, in a report."""
    return ", ".join(f"{name}={shorten(value, 60)}" for name, value in values.items())
