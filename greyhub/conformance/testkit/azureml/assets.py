"""Data assets, datastores and environments of the workspace, which tests put there."""

from __future__ import annotations

from greyhub.conformance.testkit.azureml import facts
from greyhub.conformance.testkit.azureml.arm import Answer, Call, Route
from greyhub.conformance.testkit.azureml.paging import page
from greyhub.conformance.testkit.azureml.state import PROVIDER, Cloud, Document, now

_WORKSPACE = "/subscriptions/{subscription}/resourceGroups/{group}/providers/"
_WORKSPACE += f"{PROVIDER}/workspaces/{{workspace}}"
_RIGHT = f"{PROVIDER}/workspaces"


class Assets:
    """What data and environments the workspace knows of."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self._latest: dict[str, str] = {}

    def routes(self) -> list[Route]:
        """The operations, all of them reads."""
        data, stores = f"{_WORKSPACE}/data", f"{_WORKSPACE}/datastores"
        versions, one = f"{data}/{{name}}/versions", f"{data}/{{name}}/versions/{{version}}"
        of_data, of_version = f"{_RIGHT}/data/read", f"{_RIGHT}/data/versions/read"
        of_store = f"{_RIGHT}/datastores/read"
        places, right = f"{_WORKSPACE}/environments/{{name}}", f"{_RIGHT}/environments"
        place, kind = f"{places}/versions/{{version}}", "EnvironmentVersionResource"
        newest = "EnvironmentContainerResource"
        return [
            Route("GET", data, of_data, self.containers, answered="DataContainerList"),
            Route("GET", versions, of_version, self.versions, answered="DataVersionList"),
            Route("GET", one, of_version, self.version, answered="DataVersionResource"),
            Route("GET", stores, of_store, self.stores, answered="DatastoreList"),
            Route("GET", f"{stores}/{{name}}", of_store, self.store, answered="DatastoreResource"),
            Route("GET", places, f"{right}/read", self.environment, answered=newest),
            Route("GET", place, f"{right}/versions/read", self.built, answered=kind),
        ]

    def add_data(self, name: str, version: str, properties: Document) -> None:
        """Put a version of a data asset there; ``properties`` as the API has them.

        Raises
        ------
        ValueError
            They are not as the official types say.
        """
        _demand("DataVersionBaseProperties", properties)
        self._latest[name] = version
        body = self.cloud.resource("data/versions", f"{name}/{version}")
        self.cloud.documents.publish(
            "data versions", f"{name}/{version}", body | _made(properties | {"isArchived": False})
        )
        container = {
            "dataType": properties["dataType"],
            "latestVersion": version,
            "isArchived": False,
            "description": properties.get("description"),
            "tags": properties.get("tags") or {},
        }
        body = self.cloud.resource("data", name)
        self.cloud.documents.publish("data", name, body | _made(container))

    def remove_data(self, name: str) -> None:
        """A data asset is gone, with all its versions."""
        documents = self.cloud.documents
        for each in documents.every("data versions", f"{name}/"):
            documents.publish("data versions", f"{name}/{each['name']}", None)
        documents.publish("data", name, None)

    def add_datastore(self, name: str, properties: Document) -> None:
        """Put a datastore there; ``properties`` as the API has them, secrets left out of answers.

        Raises
        ------
        ValueError
            They are not as the official types say.
        """
        _demand("DatastoreProperties", properties)
        credentials = {k: v for k, v in properties["credentials"].items() if k != "secrets"}
        body = self.cloud.resource("datastores", name)
        body |= _made({**properties, "credentials": credentials, "isDefault": False})
        self.cloud.documents.publish("datastores", name, body)

    def add_environment(self, name: str, version: str, properties: Document) -> None:
        """Put a version of an environment there; ``properties`` as the API has them.

        Raises
        ------
        ValueError
            They are not as the official types say.
        """
        _demand("EnvironmentVersionProperties", properties)
        body = self.cloud.resource("environments/versions", f"{name}/{version}")
        body |= _made({**properties, "isArchived": False})
        self.cloud.documents.publish("environment versions", f"{name}/{version}", body)
        body = self.cloud.resource("environments", name)
        body |= _made({"latestVersion": version, "isArchived": False})
        self.cloud.documents.publish("environments", name, body)

    def containers(self, call: Call) -> Answer:
        """The data assets by name, each with its latest version."""
        self.cloud.demand(call.names)
        return page(self.cloud, call, self.cloud.documents.every("data"), "data")

    def versions(self, call: Call) -> Answer:
        """The versions of one data asset, the newest first."""
        self.cloud.demand(call.names)
        name = call.names["name"]
        self.cloud.documents.get("data", name)
        found = self.cloud.documents.every("data versions", f"{name}/")[::-1]
        return page(self.cloud, call, found, f"data/{name}/versions")

    def version(self, call: Call) -> Answer:
        """One version of a data asset."""
        self.cloud.demand(call.names)
        key = f"{call.names['name']}/{call.names['version']}"
        return Answer(body=self.cloud.documents.get("data versions", key))

    def stores(self, call: Call) -> Answer:
        """The datastores."""
        self.cloud.demand(call.names)
        return page(self.cloud, call, self.cloud.documents.every("datastores"), "datastores")

    def store(self, call: Call) -> Answer:
        """One datastore."""
        self.cloud.demand(call.names)
        return Answer(body=self.cloud.documents.get("datastores", call.names["name"]))

    def environment(self, call: Call) -> Answer:
        """One environment, with its latest version."""
        self.cloud.demand(call.names)
        return Answer(body=self.cloud.documents.get("environments", call.names["name"]))

    def built(self, call: Call) -> Answer:
        """One version of an environment."""
        self.cloud.demand(call.names)
        key = f"{call.names['name']}/{call.names['version']}"
        return Answer(body=self.cloud.documents.get("environment versions", key))


def _demand(kind: str, properties: Document) -> None:
    if wrong := facts.problems(kind, properties, sent=True):
        raise ValueError("; ".join(wrong))


def _made(properties: Document) -> Document:
    moment = now()
    system = {"createdAt": moment, "createdByType": "User", "lastModifiedAt": moment}
    return {"properties": properties, "systemData": system}
