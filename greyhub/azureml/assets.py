"""What a workspace has that is only read: data, environments, sizes, quotas, the hub's rights."""

from __future__ import annotations

from typing import Final

from greyhub.azureml.errors import NotFound, Refused
from greyhub.azureml.resources import Resource, Resources, below

PERMISSIONS: Final = "2022-04-01"
"""The version of the API that tells what one may do."""


class Assets(Resources):
    """The part of a workspace that the hub does not change."""

    async def data_assets(self) -> list[Resource]:
        """The data assets; each has ``properties.latestVersion``."""
        return await self._all("data", "the data assets")

    async def data_versions(self, name: str) -> list[Resource]:
        """The versions of a data asset that are not archived."""
        return await self._all(below("data", name, "versions"), f"the versions of {name}")

    async def data_version(self, name: str, version: str) -> Resource:
        """One version of a data asset: ``properties.dataType`` and ``properties.dataUri``."""
        return await self._get(
            below("data", name, "versions", version), f"version {version} of {name}"
        )

    async def datastores(self) -> list[Resource]:
        """The datastores, without their secrets."""
        return await self._all("datastores", "the datastores")

    async def datastore(self, name: str) -> Resource:
        """One datastore, without its secrets."""
        return await self._get(below("datastores", name), f"the datastore {name}")

    async def environment_id(self, said: str) -> str:
        """The resource id of an environment, as a job names it.

        Parameters
        ----------
        said : str
            ``name``, which is its latest version; ``name:version``; or a resource id. One of
            a registry, ``azureml://registries/…``, is taken as it is.

        Raises
        ------
        Refused
            The workspace has none of this name or version (``reason`` is ``"environment"``).
        """
        scope = f"{self.settings.scope}/environments/"
        if said.lower().startswith(scope.lower()):
            name, _, version = said[len(scope) :].partition("/versions/")
        elif said.startswith(("/", "azureml://")):
            return said
        else:
            name, _, version = said.removeprefix("azureml:").partition(":")
        path, what = below("environments", name), f"the environment {name}"
        try:
            if not version:
                found = await self._get(path, what)
                version = str(found["properties"].get("latestVersion") or "")
            await self._get(f"{path}/{below('versions', version)}", f"version {version} of {what}")
        except NotFound as error:
            which = f"version {version} of {what}" if version else what
            raise Refused(
                "environment",
                f"the workspace {self.settings.workspace} has not {which}: {error.what}",
                "make it, or name one that is there: az ml environment list shows them",
            ) from error
        return f"{scope}{name}/versions/{version}"

    async def sizes(self) -> list[Resource]:
        """The sizes of machines in the workspace's region: ``name``, ``family``, ``vCPUs``, …"""
        return await self._of_region("vmSizes", "the sizes")

    async def usages(self) -> list[Resource]:
        """What is used of each quota in the region: ``name``, ``currentValue``, ``limit``."""
        return await self._of_region("usages", "the quotas")

    async def permissions(self) -> list[Resource]:
        """What the hub may do in the workspace: ``actions`` and ``notActions``, each a pattern."""
        path = "providers/Microsoft.Authorization/permissions"
        return await self._all(path, "the hub's rights", {"api-version": PERMISSIONS})

    async def _of_region(self, kind: str, what: str) -> list[Resource]:
        location = (await self.itself())["location"]
        answer = await self.connection.request(
            "GET",
            f"/subscriptions/{self.settings.subscription}/providers"
            f"/Microsoft.MachineLearningServices/locations/{location}/{kind}",
            f"list {what}",
        )
        return list(answer.body.get("value") or ())
