"""What the provider that speaks Entra's dialect knows, and what it says of people."""

from __future__ import annotations

import hashlib
import uuid
from typing import Any

from greyhub.conformance.testkit.provider.accounts import Accounts
from greyhub.conformance.testkit.provider.person import DOMAIN, Person

OWN, PARTNER, STRANGER = (str(uuid.UUID(int=number)) for number in (0xA, 0xB, 0xC))
"""Directories: the one that accounts are of unless they say otherwise, and two others."""

PERSONAL = "9188040d-6c67-4c5b-b112-36a304b66dad"
"""The directory of personal accounts."""


def object_id(word: object) -> str:
    """The id of a person or a group, by a word for it."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, str(word)))


class EntraAccounts(Accounts):
    """What the provider knows, and says in Entra's way."""

    def forget(self) -> None:
        """Begin anew: no error is asked for, Graph serves whoever asks.

        ``busy`` are the seconds that Graph asks others to wait, each for one request;
        ``registration`` is the application as Graph tells it, None for a refusal;
        ``certificates`` are public keys by their SHA-256, and ``federated`` tokens, by which
        the client may prove itself; ``key_directory`` is whose tokens the keys say
        that they are for, if they say it.
        """
        super().forget()
        self.refusals: dict[tuple[str, str], int] = {}
        self.directories = {OWN, PARTNER, STRANGER, PERSONAL}
        self.busy: list[str] = []
        self.graph_refuses = False
        self.key_directory = "{tenantid}"
        self.registration: dict[str, Any] | None = None
        self.certificates: dict[str, Any] = {}
        self.federated: set[str] = set()

    @property
    def names(self) -> dict[str, str]:
        """What stands for ``{tenant}``, ``{authority}`` … in a suite's config."""
        return {
            **super().names,
            "issuer": f"{self.url}/{OWN}/v2.0",
            "tenant": OWN,
            "authority": self.url,
            "graph": self.url,
        }

    def demand(self, person: Person, code: int, resource: str = "") -> None:
        """Let whoever asks for a person's tokens be answered by an error; 0 ends that.

        Parameters
        ----------
        code : int
            Entra's, as 50076.
        resource : str
            Only for tokens of this resource; by default, for those of the login.
        """
        self.refusals[person.subject, resource] = code

    def statement(self, person: Person) -> dict[str, Any]:
        """What an ID token says of a person now."""
        said = super().statement(person)
        name = f"{person.name}@{DOMAIN}" if isinstance(person.name, str) else person.name
        tenant = person.claims.get("tid", OWN)
        own: dict[str, Any] = {
            "iss": f"{self.url}/{tenant}/v2.0",
            "ver": "2.0",
            "tid": tenant,
            "oid": object_id(person.subject),
            # For each client another: nothing to know anybody by.
            "sub": hashlib.sha256(f"{person.subject} {self.client_id}".encode()).hexdigest()[:43],
            "preferred_username": name,
        }
        if isinstance(said.get("groups"), list):
            own["groups"] = [object_id(e) if isinstance(e, str) else e for e in said["groups"]]
        if "_claim_sources" in said:
            old = f"https://graph.windows.net/{tenant}/users/{own['oid']}/getMemberObjects"
            own["_claim_sources"] = {"src1": {"endpoint": old}}
        if not own.get("groups", True):
            del own["groups"]  # it says nothing of none
            said.pop("groups", None)
        said.pop("email_verified", None)
        told = {**said, **own, **person.claims}
        return {name: value for name, value in told.items() if name not in person.without}
