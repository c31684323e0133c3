"""The fast client for S3, with s3fs's settings."""

from __future__ import annotations

import asyncio
import inspect
import os
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from greyhub.homespace.sync.stores.obstore_client import ONCE, NeedsSDK, ObstoreClient, client, soon

CLIENT: Final = {
    *("aws_access_key_id", "aws_secret_access_key", "aws_session_token"),
    *("endpoint_url", "region_name", "use_ssl", "verify"),
}
CONFIG: Final = {
    *("connect_timeout", "read_timeout", "max_pool_connections", "retries", "user_agent"),
    *("region_name", "s3", "signature_version"),
}
S3: Final = {"addressing_style"}
"""Options that are honoured here, by their names; with any other, the SDK does it all."""

FOREIGN: Final = ("AWS_SERVER_SIDE_ENCRYPTION", "AWS_CHECKSUM_ALGORITHM", "AWS_SSE_")
"""Variables that mean nothing to s3fs and would mean something to obstore."""

TOLD: Final = {
    *("key", "secret", "token", "endpoint_url", "client_kwargs", "config_kwargs"),
    *("skip_instance_cache", "use_listings_cache"),
}
"""Options of s3fs with which nothing is left for the SDK to find out."""

OVERRULED: Final = {
    *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"),
    "AWS_EC2_METADATA_DISABLED",
}
"""Variables of the SDK that do not count beside these options."""

BUNDLES: Final = {"AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"}
"""Variables that name certificates, which obstore would not trust alone."""


def open_from_options(options: Mapping[str, Any], bucket: str, name: str) -> ObstoreClient:
    """A bucket of which the options say all: `NeedsSDK` if the SDK has to find something out.

    It takes longer to load that than to bring a small home down.
    """
    kwargs, config = options.get("client_kwargs") or {}, options.get("config_kwargs") or {}
    _known(options, TOLD)
    _known(kwargs, {"region_name", "endpoint_url"})
    _known(config, CONFIG - {"s3", "signature_version"})
    endpoint = urlsplit(options.get("endpoint_url") or kwargs.get("endpoint_url") or "")
    if not (endpoint.scheme and options.get("key") and options.get("secret")) or ":" in bucket:
        raise NeedsSDK("no endpoint and keys")
    ignored = OVERRULED | (BUNDLES if endpoint.scheme == "http" else set())
    if any(each.startswith("AWS_") or each in BUNDLES for each in os.environ.keys() - ignored):
        raise NeedsSDK("a variable of the environment")
    if os.path.exists(os.path.expanduser("~/.aws")):
        raise NeedsSDK("files of the SDK")
    how = {
        "endpoint": endpoint.geturl().rstrip("/"),
        "region": kwargs.get("region_name") or config.get("region_name") or "us-east-1",
        "credential_provider": _Told(options),
    }
    return _open(bucket, name, how, config)


class _Told:
    """The credentials that the options say."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.options = options

    def __call__(self) -> Any:
        return {
            "access_key_id": self.options["key"],
            "secret_access_key": self.options["secret"],
            "token": self.options.get("token"),
            "expires_at": None,
        }


def open_from_filesystem(filesystem: Any, bucket: str, name: str) -> ObstoreClient:
    """The same bucket as s3fs reaches it, or `NeedsSDK`."""
    from fsspec.asyn import sync

    config = dict(filesystem.config_kwargs)
    _known(filesystem.client_kwargs, CLIENT)
    _known(config, CONFIG)
    _known(config.get("s3") or {}, S3)
    if filesystem.s3_additional_kwargs or filesystem.req_kw or filesystem.cache_regions:
        raise NeedsSDK("s3_additional_kwargs, requester_pays, cache_regions")
    if any(variable.startswith(FOREIGN) for variable in os.environ):
        raise NeedsSDK("a variable of the environment")
    sdk = filesystem.s3
    link = sync(filesystem.loop, _link, sdk, bucket)
    url = urlsplit(link)
    virtual = not unquote(url.path).endswith(f"/{bucket}/k")
    endpoint = f"{url.scheme}://{url.netloc}{unquote(url.path).removesuffix('/k')}"
    endpoint = endpoint if virtual else endpoint.removesuffix(f"/{bucket}")
    if url.scheme == "https" and sdk._endpoint.http_session._verify is not True:
        raise NeedsSDK("certificates of its own")  # obstore would trust others besides
    if sdk.meta.config.proxies or sdk.meta.config.client_cert:
        raise NeedsSDK("a proxy or a certificate of the client")
    config.setdefault("connect_timeout", filesystem.connect_timeout)
    config.setdefault("read_timeout", filesystem.read_timeout)
    region = sdk.meta.region_name
    how: dict[str, Any] = {
        "endpoint": endpoint,
        "region": "us-east-1" if region in (None, "aws-global") else region,
        "virtual_hosted_style_request": virtual,
        "skip_signature": filesystem.anon,
    }
    if not filesystem.anon:
        if sdk.meta.config.signature_version != "s3v4":
            raise NeedsSDK("another signature")
        how["credential_provider"] = _Finder(filesystem, sdk)
    return _open(bucket, name, how, config)


def _open(bucket: str, name: str, how: dict[str, Any], config: Mapping[str, Any]) -> ObstoreClient:
    from obstore.store import S3Store

    options: Any = client(
        how["endpoint"],
        connect=config["connect_timeout"],
        read=config["read_timeout"],
        agent=config.get("user_agent") or "",
    )
    every: dict[str, Any] = {
        "aws_endpoint_url_s3": how["endpoint"],
        "virtual_hosted_style_request": False,
        "skip_signature": False,
        "conditional_put": "etag",
        "request_payer": False,
        "s3_express": False,
        "unsigned_payload": False,
    }
    store = S3Store(bucket, client_options=options, retry_config=ONCE, **(every | how))  # type: ignore[arg-type]
    return ObstoreClient(store, name)


class _Finder:
    """The credentials as the SDK has them, or has just renewed them."""

    def __init__(self, filesystem: Any, sdk: Any) -> None:
        self.loop, self.credentials = filesystem.loop, sdk._request_signer._credentials
        if self.credentials is None:
            raise NeedsSDK("no credentials")

    def __call__(self) -> Any:
        found = asyncio.run_coroutine_threadsafe(self._find(), self.loop).result(60)
        return {
            "access_key_id": found.access_key,
            "secret_access_key": found.secret_key,
            "token": found.token,
            "expires_at": soon(),
        }

    async def _find(self) -> Any:
        found = self.credentials.get_frozen_credentials()
        return await found if inspect.isawaitable(found) else found


async def _link(sdk: Any, bucket: str) -> str:
    """Where the SDK would find an object ``k``: a link that is not followed."""
    where = {"Bucket": bucket, "Key": "k"}
    found: str = await sdk.generate_presigned_url("head_object", Params=where, ExpiresIn=1)
    return found


def _known(options: Any, names: set[str]) -> None:
    if strange := set(options) - names:
        raise NeedsSDK(", ".join(sorted(strange)))
