"""The data slot: datasets by name, from Intake catalogues.

The slot's base adapts any catalogue that Intake can open, by path or URL, of
Intake's first or second format; what a notebook gets is a
`greyhub.data.catalog.Catalog` over all of them.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from traitlets import Dict, List, TraitError, Unicode, Union, validate

from greyhub.adapter import Adapter, Contribution, Finding
from greyhub.addresses import WrongAddress, check_address, is_meant_as_address
from greyhub.data.policy import NAME, Policy, is_hub_variable
from greyhub.errors import CatalogError, ConfigError

if TYPE_CHECKING:
    from greyhub.data.catalog import Catalog
    from greyhub.data.catalog_check import CatalogCheck


class DataAdapter(Adapter):
    """Fills the slot with Intake catalogues, merged into one.

    Those that the hub can see are read as it starts; all are read again, with the
    user's own rights, where a notebook asks for them.
    """

    slot = "data"
    modules: ClassVar[Sequence[str]] = ("intake", "jinja2", "yaml")
    extra = "greyhub[local]"

    must_exist = False
    """Whether a path that is not there as the hub starts is an error."""

    catalogs = Union(
        [List(Unicode()), Dict(value_trait=Unicode(), key_trait=Unicode())],
        help="Catalogues by path or URL, YAML files of Intake's first or second format. In a "
        "list, every entry keeps its own name. In a mapping, an entry is named after its "
        "catalogue too: ``ocean.sst`` from ``{'ocean': 'ocean.yaml'}``. A relative path stands "
        "beside the config file. Users read them with their own rights, and again as they "
        "change.",
    ).tag(config=True, seen=True, example=["catalog.yaml"])

    parameters = Dict(
        value_trait=Unicode(),
        key_trait=Unicode(),
        help="Values for ``{NAME}`` in the catalogues, so that one catalogue serves every "
        "platform: ``{'ARCHIVE': '/data/era5'}`` here, ``'s3://era5'`` there. Names are in "
        "capitals. Users can read the values: no secret belongs here.",
    ).tag(config=True, seen=True, example={"ARCHIVE": "/data/era5"})

    environment = List(
        Unicode(),
        help="Variables of the user's server that catalogues may read with ``{env(NAME)}``. "
        "None by default; those of JupyterHub and greyhub never.",
    ).tag(config=True, example=["MY_DATA_TOKEN"])

    readers = List(
        Unicode(),
        help="Import strings of Intake readers, data types and drivers that catalogues may name "
        "beside those that only read data: ``my_package.readers:CubeReader``.",
    ).tag(config=True, example=["my_package.readers:CubeReader"])

    @validate("catalogs")
    def _without_passwords(self, proposal: Any) -> Any:
        for _, place in prefixed(proposal.value):
            if not place:
                raise TraitError("a catalogue's path is empty")
            if re.search(r"://[^/]*:[^/]*@", place):
                raise TraitError(
                    "a catalogue's URL holds a password, and users can read it: leave it out, "
                    "and let the URL's library take it from the user's own settings"
                )
            if is_meant_as_address(place):
                check_address(place)
        return proposal.value

    @validate("parameters")
    def _in_capitals(self, proposal: Any) -> Any:
        for name, value in proposal.value.items():
            if not NAME.fullmatch(name) or name == "CATALOG_DIR":
                raise TraitError(
                    f"the parameter {name!r} must be named in capitals, as in ARCHIVE_2, "
                    "and CATALOG_DIR is taken"
                )
            if "{" in value or "}" in value:
                raise TraitError(f"the parameter {name} has braces in its value: {value!r}")
        return proposal.value

    @validate("environment")
    def _of_the_user(self, proposal: Any) -> Any:
        for name in proposal.value:
            if is_hub_variable(name):
                raise TraitError(f"{name} belongs to the hub: no catalogue may read it")
        return proposal.value

    @classmethod
    def opens(cls, value: object) -> Mapping[str, Any] | None:
        """The path of a YAML file, or any URL; `WrongAddress` for one with a slip in it."""
        if not isinstance(value, str):
            return None
        if is_meant_as_address(value):
            check_address(value)
        elif not value.endswith((".yaml", ".yml")):
            if value.startswith(("/", "~", ".")) or value.endswith("/"):
                raise WrongAddress(
                    f"{value!r} is no catalogue: its name would end with .yaml or .yml",
                    f"name the file, such as {value.rstrip('/')}/catalog.yaml; of several, write "
                    "'local', and c.LocalData.catalogs = [each of them]",
                )
            return None
        return {"catalogs": [value]}

    def sources(self) -> list[tuple[str, str]]:
        """The catalogues as (prefix, location); the prefix is empty in a list."""
        return [
            (prefix, location if "://" in location else str(self.resolve(location)))
            for prefix, location in prefixed(self.catalogs)
        ]

    def visible(self) -> list[tuple[str, str]]:
        """Those sources that the hub itself reads, to know what is wrong with them early.

        A path that is relative to the hub's config file is the hub's own; any other may
        be there only where the servers run.
        """
        return [
            source
            for source, (_, place) in zip(self.sources(), prefixed(self.catalogs), strict=True)
            if "://" not in place
            and (self.must_exist or not os.path.isabs(place) or os.path.exists(place))
        ]

    def remote(self) -> list[tuple[str, str]]:
        """Those sources that are URLs: the hub reads them where it is asked to check them."""
        return [source for source in self.sources() if "://" in source[1]]

    @cached_property
    def catalog_check(self) -> CatalogCheck:
        """What the hub sees of the catalogues."""
        from greyhub.data.catalog_check import CatalogCheck

        section = type(self).__name__
        policy = Policy(self.parameters, tuple(self.environment), tuple(self.readers), section)
        here = getattr(self.parent, "servers_here", True)
        return CatalogCheck(self.visible, policy, servers_here=here)

    def contribute(self) -> Contribution:
        """Nothing; the catalogues that the hub can see are read and judged."""
        try:
            self.catalog_check.read()
        except CatalogError as error:
            raise _as_config_error(error) from error
        for fault in self.catalog_check.faults():
            self.log.warning("greyhub: a dataset cannot be opened: %s", fault)
        return Contribution()

    async def ticket(self, spawner: Any) -> Mapping[str, Any]:
        """Where the catalogues are, and what the platform gives to them."""
        await asyncio.to_thread(self.catalog_check.refresh)
        return {
            "catalogs": self.sources(),
            "parameters": self.parameters,
            "environment": self.environment,
            "readers": self.readers,
        }

    @classmethod
    def connect(cls, ticket: Mapping[str, Any], **options: Any) -> Catalog:
        """All catalogues as one read-only mapping from name to dataset."""
        from greyhub.data.catalog import open_catalogs

        return open_catalogs(
            [(str(prefix), str(location)) for prefix, location in ticket["catalogs"]],
            ticket["parameters"],
            ticket.get("environment", ()),
            ticket.get("readers", ()),
        )

    async def check(self) -> Sequence[Finding]:
        """Can each catalogue be read, and each dataset on this machine, by every user?"""
        return await asyncio.to_thread(self.catalog_check.findings, self.remote())

    def label(self) -> str:
        """How many datasets there are, as far as the hub sees them."""
        return self.catalog_check.label(len(self.catalogs))


def prefixed(written: Mapping[str, str] | Sequence[str]) -> list[tuple[str, str]]:
    """The prefix of each of several catalogues, empty in a list, and where it is."""
    return list(written.items()) if isinstance(written, Mapping) else [("", x) for x in written]


def _as_config_error(error: CatalogError) -> ConfigError:
    from greyhub.data.document import Fault

    if isinstance(error, Fault):
        return ConfigError(error.what, where=error.where, fix=error.fix)
    return ConfigError(str(error))
