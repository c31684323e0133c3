"""CLUSTER-019 and 031: TLS, and tokens that must not reach workers."""

from __future__ import annotations

import socket
import ssl
from typing import Any
from urllib.parse import urlsplit

import dask

from greyhub.conformance.cluster.case import ClusterCase
from greyhub.conformance.cluster.suite import ENVIRONMENT, TOKENS
from greyhub.conformance.contract import MUST, clause

ALERT = b"\x15\x03"
"""How a TLS server says no."""


@clause("CLUSTER-019", MUST, needs="tls", refusal=True, guards="secrets")
def strangers_stay_outside(case: ClusterCase) -> None:
    """With TLS no client comes in without the cluster's own credentials, and none in plain text.

    Neither a client without any, nor one with those of another cluster, nor one that
    shows no certificate and does not look at the cluster's. The private key is in no
    command line and no log. Where TLS is declined, asking for it must be refused, or
    obeyed: never answered by a cluster without.
    """
    from distributed import Client, Security

    if not case.claims("tls"):
        cluster, error = case.attempt(
            "security that requires encryption", lambda: case.make(0, security=_strict())
        )
        if error is None:
            address = case.get(cluster, "scheduler_address")
            case.require(
                address.partition("://")[0] not in ("tcp", "ws", "inproc"),
                f"encryption was required, and the scheduler is at {address}",
            )
        return
    cluster, client = case.working(1)
    address = case.get(cluster, "scheduler_address")
    for where in (address, *case.workers(client)):
        _closed_to_plain_text(case, where)
        _closed_to_strangers(case, where)
    others = {"no": {}, "another's": {"security": Security.temporary()}}
    if bobs := getattr(case.make(0, user="bob"), "security", None):
        others["bob's"] = {"security": bobs}
    for whose, options in others.items():
        stranger, error = case.attempt(
            f"a client with {whose} credentials",
            lambda o=options: Client(address, timeout="1s", set_as_default=False, **o),
        )
        case.require(error is not None, f"a client with {whose} credentials came in: {stranger!r}")
    _keep_the_key(case, getattr(cluster, "security", None))


def _strict() -> Any:
    from distributed import Security

    return Security(require_encryption=True, **_pem(Security.temporary()))


def _pem(security: Any) -> dict[str, str]:
    owners, parts = ("client", "scheduler", "worker"), ("key", "cert")
    names = ["tls_ca_file", *(f"tls_{owner}_{part}" for owner in owners for part in parts)]
    return {name: getattr(security, name) for name in names}


def _closed_to_plain_text(case: ClusterCase, address: str) -> None:
    parts = urlsplit(address)
    if not (parts.hostname and parts.port):
        return
    case.did(f"plain text to {address}")
    with socket.create_connection((parts.hostname, parts.port), 2 * case.patience) as connection:
        connection.settimeout(0.4)
        try:
            answer = connection.recv(4096)
        except TimeoutError:
            answer = b""
        except OSError:
            return
    case.require(
        not answer or answer.startswith(ALERT), f"{address} speaks first, in plain text: {answer!r}"
    )


def _closed_to_strangers(case: ClusterCase, address: str) -> None:
    """Whoever does not care who answers must still be asked who they are."""
    parts = urlsplit(address)
    if not (parts.scheme == "tls" and parts.hostname and parts.port):
        return
    case.did(f"TLS without a certificate to {address}")
    careless = ssl._create_unverified_context()  # noqa: S323 - what is tested is the other side
    try:
        with (
            socket.create_connection((parts.hostname, parts.port), 2 * case.patience) as plain,
            careless.wrap_socket(plain, server_hostname=parts.hostname) as secure,
        ):
            # With TLS 1.3 a client learns that it was refused when it reads.
            secure.settimeout(0.4)
            answer = secure.recv(4096)
    except OSError:
        return
    case.require(not answer, f"{address} lets in who shows no certificate: {answer[:40]!r}")


def _keep_the_key(case: ClusterCase, security: Any) -> None:
    texts = [getattr(security, name, None) for name in dir(security) if name.startswith("tls_")]
    keys = {
        text.split("-----")[2].split()[1]
        for text in texts
        if isinstance(text, str) and "PRIVATE KEY-----" in text
    }
    for key in keys:
        shown = [line for line in case.log.lines if key in line]
        case.require(not shown, "the private key is in the log")
        if case.suite.has("alive"):
            for part in case.alive():
                case.require(
                    not any(key in word for word in part.argv or ()),
                    f"the private key is in the command line of {part.kind} {part.id}",
                )


@clause("CLUSTER-031", MUST, guards="secrets", hooks="alive")
def tokens_stay_in_the_notebook(case: ClusterCase) -> None:
    """The hub's tokens are in no worker's environment, command line or label, nor in the log.

    Unless it is claimed that workers are given the token on purpose; then still
    in no command line, label or log. Workers begin as new interpreters here.
    """
    with dask.config.set({"distributed.worker.multiprocessing-method": "spawn"}):
        _cluster, client = case.working(1)
    secrets = {ENVIRONMENT[name]: name for name in TOKENS}
    read = lambda: dict(__import__("os").environ)  # noqa: E731
    environments = dict(case.quietly("run(environ)", client.run, read))
    scheduler, error = case.attempt("the scheduler's environment", _of_scheduler, case, client)
    if error is None:
        environments["the scheduler"] = scheduler
    for where, environment in environments.items():
        told = [*environment.values()]
        found = [name for text, name in secrets.items() if any(text in each for each in told)]
        if not case.claims("tokens"):
            case.require(not found, f"{where} has {', '.join(found)} in its environment")
    for text, name in secrets.items():
        for part in case.alive():
            labels = [part.id, *(part.labels or {}).values()]
            for what, words in (("command line", part.argv or ()), ("labels", labels)):
                shown = any(text in word for word in words)
                case.require(not shown, f"{part.kind} {part.id} has {name} in its {what}")
        case.require(not case.log.holding(text), f"{name} is in the log")


def _of_scheduler(case: ClusterCase, client: Any) -> dict[str, str]:
    if not case.claims("own_scheduler"):
        return {}  # it is in the notebook, and has the notebook's
    read = lambda: dict(__import__("os").environ)  # noqa: E731
    return dict(client.run_on_scheduler(read))
