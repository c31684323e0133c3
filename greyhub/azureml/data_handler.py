"""The hub's API for data assets: ``GET /hub/api/greyhub/data/azureml`` and ``…/azureml/NAME``.

Only a user's token is answered that may also ask for that user's credentials, as servers'
tokens may: without these no asset can be read.
"""

from __future__ import annotations

import json
from typing import Any

from jupyterhub.apihandlers.base import APIHandler
from jupyterhub.user import User
from tornado.web import HTTPError

from greyhub.azureml.data_listing import DataListing
from greyhub.azureml.errors import AzureMLError, NotFound


class DataHandler(APIHandler):  # type: ignore[misc]
    """The assets, or the versions of one."""

    _accept_cookie_auth = False
    listing: DataListing
    scope: str

    def initialize(self, listing: DataListing, scope: str) -> None:
        """Tornado's way to give a handler its things."""
        self.listing, self.scope = listing, scope

    async def get(self, name: str | None = None) -> None:
        """JSON, as `DataListing` gives it."""
        if not isinstance(self.current_user, User) or not self.has_scope(self.scope):
            raise HTTPError(
                403,
                "data assets are listed for users' servers alone, by their tokens\n"
                "  fix: stop this server and start it again from the hub's page",
            )
        try:
            asked = self.listing.versions(name) if name else self.listing.assets()
            found = await asked
        except NotFound as error:
            raise HTTPError(404, str(error)) from None
        except AzureMLError as error:
            raise HTTPError(503, str(error)) from None
        self.set_header("Cache-Control", "no-store")
        self.finish(json.dumps(found))


def attach(app: Any, path: str, listing: DataListing, scope: str) -> None:
    """Let a JupyterHub answer tokens that have a scope; to be called before it starts."""
    given = {"listing": listing, "scope": scope}
    handler = (rf"/api/{path}(?:/([^/]+))?", DataHandler, given)
    # Setting the option logs that it is deprecated, which is nothing an administrator could mend.
    app.extra_handlers.append(handler)
