"""Say in words what a dask-gateway refused, or why it could not be asked."""

from __future__ import annotations

from typing import Final

import aiohttp
from dask_gateway import GatewayServerError

from greyhub.errors import ClusterError

BUSY: Final = (502, 503, 504)
"""What a proxy answers for a gateway that is not there at the moment."""


def is_away(error: BaseException) -> bool:
    """Whether the gateway could not be asked: it may answer when asked again."""
    if isinstance(error, aiohttp.ClientResponseError):
        return error.status in BUSY
    return isinstance(error, aiohttp.ClientError | OSError | TimeoutError)


def in_words(error: BaseException, address: str) -> ClusterError:
    """The error to raise for one of dask-gateway's client.

    Its `ValueError` and `GatewayClusterError` carry the gateway's own words.
    """
    if isinstance(error, ClusterError):
        return error
    if is_away(error):
        return ClusterError(
            f"the dask-gateway at {address} does not answer: {str(error) or 'no answer in time'}\n"
            "  fix: try again in a minute; if it lasts, tell the platform's administrators"
        )
    if isinstance(error, aiohttp.ClientResponseError) and error.status in (401, 403):
        return ClusterError(
            f"the dask-gateway at {address} does not accept this user's token ({error.status})\n"
            "  fix: stop and start the server for a new token; if it lasts, users lack the scope "
            "access:services!service=NAME, where NAME is the gateway's at the hub: an "
            "administrator sets c.GatewayAdapter.service"
        )
    if isinstance(error, GatewayServerError | aiohttp.ClientError):
        return ClusterError(
            f"the dask-gateway at {address} failed: {error}\n"
            "  fix: its administrators find more in its log"
        )
    return ClusterError(str(error))
