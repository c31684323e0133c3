"""What is wrong with the options of providers, before a hub starts."""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from traitlets.config import Config

from greyhub.adapter import Finding
from greyhub.addresses import SAFE, WrongAddress, check_address
from greyhub.auth.openid.authenticator import OIDCAuthenticator
from greyhub.auth.openid.http import is_safe
from greyhub.auth.openid.options import option
from greyhub.auth.openid.providers import NOBODY, OWN, WORD, OIDCProviders, complete
from greyhub.errors import ConfigError

PROVIDERS: Final = "c.OpenIDConnect.providers"

OTHER_NAMES: Final = {"title": "login_service", "name": "login_service", "label": "login_service"}
"""Names that one might take an option's for."""


Make = Callable[[type, Config], Any]
"""`greyhub.auth.AuthAdapter.dry_instance`."""

Redirect = Callable[[OIDCAuthenticator], str]
"""Where a provider sends browsers back to; empty if nothing says so."""


def dry(make: Make, config: Config, word: str, own: Mapping[str, Any]) -> Any:
    """An `OIDCAuthenticator` as the hub makes it for one of several providers."""
    given = complete(word, {name: own[name] for name in own if name in OWN})
    section = Config({**config.get("OIDCAuthenticator", {}), **given})
    mixed = Config(config)
    dict.__setitem__(mixed, "OIDCAuthenticator", section)
    found = make(OIDCAuthenticator, mixed)
    found.made.word = word
    return found


def problems(
    make: Make, config: Config, providers: Mapping[str, Mapping[str, Any]], redirect: Redirect
) -> Iterator[ConfigError]:
    """What no login would work with, of several providers: their options by their words."""
    yield from _whole_hub(make(OIDCProviders, config), several=len(providers) > 1)
    titles: dict[str, str] = {}
    for word, own in providers.items():
        if not WORD.fullmatch(word):
            yield ConfigError(
                f"{word!r} cannot be part of an address",
                where=PROVIDERS,
                fix="call the provider by at most 31 lower-case letters, digits and dashes",
            )
            continue
        found = dry(make, config, word, own)
        wrong = [*_unknown(word, own), *_flaws(word, own, found)]
        made = found.made
        yield from wrong or refused(made, redirect)
        if not any(own.get(name) for name in NOBODY):
            yield ConfigError(
                f"nobody may log in by {word}",
                where=f'{PROVIDERS}["{word}"]',
                fix="say who may: allowed_groups, allowed_users, or allow_all for everybody whom "
                "this provider recognises",
            )
        if not made.client_secret and "client_secret" not in own:
            yield ConfigError(
                "the hub has no secret at the provider",
                where=option(word, "client_secret"),
                fix='set it to greyhub.secret(env="NAME"), or to "" for a public client',
            )
        title = str(made.login_service)
        if before := titles.get(title.lower()):
            yield ConfigError(
                f"{before} and {word} are both called {title} on the login page",
                where=option(word, "login_service"),
                fix="call one of them another name by login_service",
            )
        titles[title.lower()] = word


def _whole_hub(found: Any, *, several: bool) -> Iterator[ConfigError]:
    """Options of the whole hub that do not go with providers."""
    for name in sorted(NOBODY.keys() & found.settings.keys()):
        path, _ = found.settings[name]
        yield ConfigError(
            f"{name} does not say by which provider",
            where=".".join(("c", *path)),
            fix=f"remove the line, and set {name} in the options of a provider, in {PROVIDERS}",
        )
    if not found.made.enable_auth_state:
        yield ConfigError(
            "the hub would forget by which provider somebody logged in",
            where="c.OIDCAuthenticator.enable_auth_state",
            fix="remove the line",
        )
    if several and found.made.auto_login:
        yield ConfigError(
            "a login page that is skipped offers no choice of providers",
            where="c.OIDCAuthenticator.auto_login",
            fix="remove the line, or keep one provider; an address such as "
            "https://hub.example.org/hub/oauth_login/WORD leads to a provider directly",
        )


def _unknown(word: str, own: Mapping[str, Any]) -> Iterator[ConfigError]:
    """Names of options that a provider does not have."""
    for name in map(str, own):
        if name in OWN:
            continue
        if name in OIDCProviders.class_traits(config=True):
            what = f"{name} is the whole hub's, and not one provider's"
            fix = f"write c.OIDCAuthenticator.{name}"
        else:
            near = difflib.get_close_matches(name.lower().replace("-", "_"), OWN, n=1, cutoff=0.7)
            better = OTHER_NAMES.get(name) or next(iter(near), "")
            what = f"a provider has no option {name}"
            fix = f'write "{better}"' if better else "remove it"
        yield ConfigError(what, where=f'{PROVIDERS}["{word}"]', fix=fix)


def _flaws(word: str, own: Mapping[str, Any], found: Any) -> Iterator[ConfigError]:
    """Values of the provider's own options that they do not take."""
    for flaw in found.flaws:
        if flaw.path[-1] in own:
            fix = flaw.fix or "give it another value"
            yield ConfigError(flaw.what, where=option(word, flaw.path[-1]), fix=fix)


def refused(made: Any, redirect: Redirect) -> Iterator[ConfigError]:
    """What no login would work with, of one provider: the first of it."""
    if not made.issuer and not made.facts.endpoints:
        yield ConfigError(
            "no provider is named",
            where=made.option("issuer"),
            fix="set it to the address that the provider calls itself, "
            "such as https://login.example.org/realms/science",
        )
    elif wrong := _misspelt(made):
        yield wrong
    elif made.issuer and not is_safe(made.issuer):
        yield ConfigError(
            f"{made.issuer} is no address that logins can be trusted to",
            where=made.option("issuer"),
            fix="use an address that begins with https://",
        )
    elif made.groups_url and not is_safe(made.groups_url):
        yield ConfigError(
            f"{made.groups_url} is no address that tokens may be sent to",
            where=made.option("groups_url"),
            fix="use an address that begins with https://",
        )
    elif not made.client_id:
        yield ConfigError(
            "the hub has no name at the provider",
            where=made.option("client_id"),
            fix="register the hub with the provider, and set the id that it gives",
        )
    elif not redirect(made):
        page = f"https://hub.example.org/hub/oauth_callback{f'/{made.word}' if made.word else ''}"
        yield ConfigError(
            "it is not said by which address browsers reach this hub, and the provider sends "
            "them back there",
            where="c.JupyterHub.public_url",
            fix=f"set it, such as https://hub.example.org/, and register {page} with the provider",
        )


def _misspelt(made: Any) -> ConfigError | None:
    """The first of a provider's addresses that is none."""
    for name in ("issuer", "groups_url"):
        try:
            if url := getattr(made, name):
                check_address(url, SAFE)
        except WrongAddress as wrong:
            return ConfigError(wrong.what, where=made.option(name), fix=wrong.fix)
    return None


def of_one(word: str, finding: Finding) -> Finding:
    """A finding about a provider that says which, and names the option as it is written."""

    def written(text: str) -> str:
        return re.sub(r"c\.OIDCAuthenticator\.(\w+)", lambda m: option(word, m[1]), text)

    return dataclasses.replace(
        finding,
        message=f"{word}: {finding.message}",
        fix=written(finding.fix),
        option=written(finding.option),
    )
