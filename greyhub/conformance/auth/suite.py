"""The base class of an Authenticator's conformance suite: options, hooks and capabilities."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from greyhub.conformance.contract import Capability, Contract
from greyhub.conformance.pytest_suite import PytestSuite
from greyhub.conformance.suite import SuiteError, hook
from greyhub.conformance.testkit.provider import Person, Provider

if TYPE_CHECKING:
    from greyhub.conformance.testkit.hub import Hub

CAPABILITIES = (
    Capability("oauth2", "who comes in is told by an OAuth 2 provider: the code flow"),
    Capability("password", "the login form asks for a secret"),
    Capability("id_token", "who comes in is read from an ID token"),
    Capability("email_names", "the hub's name is made from an e-mail address"),
    Capability("groups", "with manage_groups, the backend's groups become the hub's"),
    Capability("overage", "groups are asked for where a token has no room for them"),
    Capability("restricts", "options that admit one domain, tenant or organisation alone"),
    Capability("remote", "a backend outside the hub is asked: a provider, a directory"),
    Capability("refresh", "refresh_user asks the backend again"),
    Capability("slo", "logout leads to an address that is configured"),
    Capability("sessions", "pre_spawn_start opens something that post_spawn_stop closes"),
)

CONTRACT = Contract(
    "auth",
    "1.0",
    case="case:AuthCase",
    capabilities={capability.name: capability for capability in CAPABILITIES},
)

OURS = frozenset(
    {
        "admin_groups",
        "admin_users",
        "allow_all",
        "allow_existing_users",
        "allowed_groups",
        "allowed_users",
        "any_allow_config",
        "auth_refresh_age",
        "blocked_users",
        "enable_auth_state",
        "manage_groups",
        "post_auth_hook",
        "username_map",
        "username_pattern",
    }
)
"""Options that the clauses set: who may come in is theirs to say."""


@dataclass(frozen=True)
class Restriction:
    """One way to restrict who may come in to a domain, a tenant, an organisation."""

    options: Mapping[str, Any]
    """The options of the adapter that do so."""

    word: str
    """What they name: an outsider writes it wherever a person may write what they like."""

    inside: Mapping[str, Any]
    """What makes a person one of those: changes of a `Person`, as in ``{"claims": {…}}``."""

    outside: Sequence[Mapping[str, Any]] = field(default=())
    """Changes that come near, and must not do."""

    deprecated: bool = False
    """An old spelling: it must restrict as well, or be refused when the hub starts."""


class AuthSuite(PytestSuite):
    """Judges a `jupyterhub.auth.Authenticator`.

    In `config`, ``{hub}`` and ``{directory}`` stand for the hub at work and for a
    directory of its own. With ``oauth2`` claimed the provider is the suite's own:
    ``{authorize}``, ``{token}``, ``{userinfo}``, ``{jwks}``, ``{issuer}``,
    ``{logout}``, ``{client_id}``, ``{client_secret}``, ``{callback}`` and ``{ca}``.
    """

    contract = CONTRACT

    name_claim: str = "preferred_username"
    """What the hub's name is made from: a claim, or a field of the login form."""

    tls: bool = False
    """Whether the suite's provider speaks TLS, by the authority in the file ``{ca}``."""

    logout_option: str = "logout_redirect_url"
    """The option that holds where logout leads to, for those who claim ``slo``."""

    provider_class: type[Provider] = Provider
    """What the suite's provider is: another one speaks a dialect, as `EntraProvider` does."""

    provider: Provider | None = None

    def statement(self, person: Person) -> Mapping[str, Any]:
        """What the provider says of a person; by default the standard claims of OpenID Connect."""
        return person.standard()

    def api(self, path: str, person: Person) -> Any:
        """What the provider's own API answers, to a person's access token; None for 404.

        It is sent as JSON, unless it is a `greyhub.conformance.testkit.provider.Reply`.
        """
        return None

    def hub_name(self, person: Person) -> str:
        """The name that a person has in the hub."""
        return (person.email if "email_names" in self.claims else person.name).lower()

    @hook
    def account(self, person: Person, hub: Hub) -> Mapping[str, str]:
        """Make a person an account in the backend, and say what they type into the login form.

        Called once for each person and hub, and again where the person has
        changed; `Person.admin` tells of those that are named in ``admin_users``.
        Given where ``oauth2`` is claimed.
        """
        raise NotImplementedError

    @hook
    def close_account(self, person: Person) -> None:
        """Disable a person's account in the backend. Given where ``oauth2`` is claimed."""
        assert self.provider is not None
        self.provider.disable(person)

    @hook
    def outage(self, kind: str) -> AbstractContextManager[Any]:
        """Break the backend while a block lasts. Given where ``oauth2`` is claimed.

        Parameters
        ----------
        kind : str
            ``error``, ``unavailable``, ``nonsense``, ``reset`` or ``hang``.
        """
        assert self.provider is not None
        return self.provider.fault("any", kind)

    @hook
    def restrictions(self) -> Sequence[Restriction]:
        """The adapter's own options that restrict who may come in, old spellings among them."""
        raise NotImplementedError

    @hook
    def sessions(self) -> Collection[str]:
        """What pre_spawn_start has opened and post_spawn_stop has not closed."""
        raise NotImplementedError

    @classmethod
    def has(cls, name: str) -> bool:
        """Whether there is a hook; ``oauth2`` brings those that the suite's provider can give."""
        given = name in ("account", "close_account", "outage") and "oauth2" in cls.claims
        return given or super().has(name)

    @classmethod
    def check(cls) -> None:
        """Refuse a suite that does not say all that it must, or says what is not its own."""
        super().check()
        config = cls.__dict__.get("config", cls.config)
        if isinstance(config, Mapping):
            for section, values in config.items():
                for name in sorted(OURS & set(values)):
                    raise SuiteError(
                        f"{cls.__name__} cannot be judged:\n  config: leave {section}.{name} out: "
                        "the clauses set it"
                    )

    @classmethod
    def preload(cls) -> None:
        """JupyterHub, and a database of one."""
        from greyhub.conformance.testkit.hub_app import empty_database

        super().preload()
        empty_database()

    def begin(self) -> None:
        """Prepare, and open the provider."""
        super().begin()
        if "oauth2" in self.claims:
            self.provider = self.provider_class(self.statement, self.api, tls=self.tls)

    def end(self) -> None:
        """Close the provider, and clean up."""
        if self.provider is not None:
            self.provider.close()
        super().end()
