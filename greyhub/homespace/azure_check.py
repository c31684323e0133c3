"""Ask a storage account whether it is there, without a login, and which libraries are here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, requires, version
from typing import Any

from greyhub.adapter import Finding
from greyhub.homespace.stores.azure_account import WORDS
from greyhub.http_probe import Unreachable, ask, clock

OPTION = "c.AzureMLHomespace.account_url"


async def account(options: Mapping[str, Any]) -> list[Finding]:
    """What an account says to somebody who does not log in: that it is there, and when it is."""
    url = options["account_url"]
    try:
        reply = await ask(f"{url}/?comp=list", ca_certs=options.get("ca_bundle"))
    except Unreachable as error:
        fix = (
            "fix the address, or let this machine reach it; where a certificate is not trusted, "
            "name its authority in c.AzureMLHomespace.ca_bundle"
        )
        return [Finding("error", f"the storage account: {error}", fix, option=OPTION)]
    found = list(clock(reply, "the storage account"))
    disabled = "AccountIsDisabled" in reply.text
    if disabled:
        found.append(Finding("error", WORDS["AccountIsDisabled"], "enable it", option=OPTION))
    elif reply.status < 500:
        found.append(Finding("ok", f"{url} answers; what users may do there is known to it alone"))
    else:
        found.append(Finding("error", f"{url} answers {reply.status}", "try again", option=OPTION))
    return found


def versions() -> Iterator[Finding]:
    """Libraries that are here, and older than what homes on Azure were tested with."""
    from packaging.requirements import Requirement

    for line in requires("greyhub") or ():
        needed = Requirement(line)
        own = any(
            needed.marker and needed.marker.evaluate({"extra": extra})
            for extra in ("azure", "azureml")
        )
        if not own or needed.name == "greyhub":
            continue
        try:
            here = version(needed.name)
        except PackageNotFoundError:
            continue  # a missing one is said where it is needed
        if not needed.specifier.contains(here, prereleases=True):
            yield Finding(
                "warning",
                f"{needed.name} {here} is installed, and homes on Azure need {needed.specifier}",
                "pip install --upgrade 'greyhub[azureml]', here and where servers run",
            )
