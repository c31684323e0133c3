"""Lists, a page at a time."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from greyhub.conformance.testkit.azureml.arm import Answer, Call
from greyhub.conformance.testkit.azureml.errors import bad_request
from greyhub.conformance.testkit.azureml.state import Cloud


def page(cloud: Cloud, call: Call, things: list[dict[str, Any]], path: str) -> Answer:
    """One page, with a link to the next if there is one.

    Parameters
    ----------
    things : list of mapping
        All of them.
    path : str
        Where they are listed, below the workspace.
    """
    skip = call.query.get("$skip", "0")
    if not skip.isdigit():
        raise bad_request(f"$skip is {skip!r}, which no list has given as a continuation")
    first = int(skip)
    body: dict[str, Any] = {"value": things[first : first + cloud.page_size]}
    if first + cloud.page_size < len(things):
        rest = {**call.query, "$skip": str(first + cloud.page_size)}
        query = "&".join(f"{name}={quote(value)}" for name, value in rest.items())
        body["nextLink"] = f"{cloud.endpoint}{cloud.id}/{path}?{query}"
    return Answer(body=body)
