"""Clusters that are somebody else's too: CLUSTER-015, 016, 019, 025, 031."""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import os
import weakref
from contextlib import suppress
from typing import Any

from examples.cluster.toycluster.client import ask
from greyhub.conformance.mutation import mutant
from tests.conformance.cluster.suites import Toy, ToyPlain
from tests.conformance.cluster.toy.cluster import Job, SchedulerJob, ToyCluster


@mutant("CLUSTER-015", Toy)
class NamesakesAreFine(ToyCluster):
    """A name is only what people call it."""

    def __init__(self, *, name: str | None = None, attach: Any = None, **options: Any) -> None:
        if attach is not None or name is None:
            super().__init__(name=name, attach=attach, **options)
            return
        super().__init__(**options)
        self.name = name


@mutant("CLUSTER-015", Toy, also="CLUSTER-016")
class AllAreCalledDask(ToyCluster):
    """The default name is a plain one: to Dask, its clusters are the same one."""

    def __init__(self, *, name: str | None = None, **options: Any) -> None:
        super().__init__(name=name, **options)
        if name is None:
            self.name = "dask"


@mutant("CLUSTER-016", Toy)
class OneClientForAll(ToyCluster):
    """A client is the last cluster's, whosever it was."""

    latest: weakref.ref[Any] | None = None

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        type(self).latest = weakref.ref(self)

    def get_client(self) -> Any:
        last = self.latest and self.latest()
        return ToyCluster.get_client(last if last is not None else self)


@mutant("CLUSTER-016", Toy)
class EndsItsSiblings(ToyCluster):
    """Closing one closes all of its user's."""

    async def _end(self) -> None:
        with suppress(OSError):
            for labels in await asyncio.to_thread(ask, "GET", f"{self.url}/clusters"):
                if labels["user"] == self.given["labels"]["user"]:
                    place = f"{self.url}/clusters/{labels['cluster']}"
                    await asyncio.to_thread(ask, "DELETE", place)


@mutant("CLUSTER-019", Toy)
class SpeaksPlainly(ToyCluster):
    """TLS is promised, and not spoken."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "tls": False})


@mutant("CLUSTER-019", Toy)
class LogsItsKey(ToyCluster):
    """Its private key is in the log."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        key = self.given["security"]["tls_client_key"]
        logging.getLogger("toy").debug("TLS with %s", key)


@mutant("CLUSTER-019", ToyPlain)
class OverlooksTheWish(ToyCluster):
    """Where there is no TLS, who asks for it gets none, without a word."""

    def __init__(self, *, security: Any = None, **options: Any) -> None:
        super().__init__(**options)


class HalfLabelled(Job):
    def __init__(self, *args: Any, job: dict[str, Any], **options: Any) -> None:
        labels = {name: label for name, label in job["labels"].items() if name != "hub"}
        super().__init__(*args, job={**job, "labels": labels}, **options)


@mutant("CLUSTER-025", Toy)
class NobodyKnowsWhose(ToyCluster):
    """Workers do not say which hub they belong to."""

    job_class = HalfLabelled


@mutant("CLUSTER-025", Toy)
class ListsEveryones(ToyCluster):
    """Everyone is listed the clusters of all."""

    @staticmethod
    def list_clusters(url: str, user: str) -> list[str]:
        return [labels["cluster"] for labels in ask("GET", f"{url}/clusters")]


@mutant("CLUSTER-031", Toy)
class PassesItOn(ToyCluster):
    """A worker has the notebook's environment."""

    @property
    def of_workers(self) -> Any:
        return {"environment": dict(os.environ)}


class WithItsOwn(SchedulerJob):
    def __init__(self, *args: Any, job: dict[str, Any], **options: Any) -> None:
        super().__init__(*args, job={**job, "environment": dict(os.environ)}, **options)


@mutant("CLUSTER-031", Toy)
class TellsTheScheduler(ToyCluster):
    """The scheduler has the notebook's environment."""

    scheduler_class = WithItsOwn


class OnTheLine(Job):
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.job["command"].append(f"--token={os.environ['JUPYTERHUB_API_TOKEN']}")


@mutant("CLUSTER-031", Toy)
class WritesItOnTheLine(ToyCluster):
    """The token is in the command line."""

    job_class = OnTheLine


@mutant("CLUSTER-015", Toy)
class CountsItsNames(ToyCluster):
    """Names are numbers, which begin again in the next notebook."""

    numbers = itertools.count(1)

    def __init__(self, *, name: str | None = None, **options: Any) -> None:
        super().__init__(name=name or f"{options['user']}-{next(self.numbers)}", **options)


@mutant("CLUSTER-016", Toy)
class EndsItsSiblingsWorkers(ToyCluster):
    """Ends the workers of its user's, for it does not ask of which cluster they are."""

    async def _end(self) -> None:
        with suppress(OSError):
            for job in await asyncio.to_thread(ask, "GET", f"{self.url}/jobs"):
                mine = job["labels"]["user"] == self.given["labels"]["user"]
                if mine and job["kind"] == "worker":
                    await asyncio.to_thread(ask, "DELETE", f"{self.url}/jobs/{job['name']}")
        await super()._end()


class OpenScheduler(SchedulerJob):
    def __init__(self, *args: Any, job: dict[str, Any], **options: Any) -> None:
        super().__init__(*args, job={**job, "open": True}, **options)


@mutant("CLUSTER-019", Toy)
class AsksForNoCertificate(ToyCluster):
    """Shows its own certificate, and asks its clients for none."""

    scheduler_class = OpenScheduler


@mutant("CLUSTER-019", Toy)
class WorkersAskForNone(ToyCluster):
    """The scheduler asks for certificates, and the workers do not."""

    of_workers = {"open": True}


@mutant("CLUSTER-025", Toy)
class ListsWhoBeginsSo(ToyCluster):
    """A user is whoever's name begins with theirs."""

    @staticmethod
    def list_clusters(url: str, user: str) -> list[str]:
        found = ask("GET", f"{url}/clusters")
        return [each["cluster"] for each in found if each["user"].startswith(user)]


class WithAllInOne(Job):
    def __init__(self, *args: Any, job: dict[str, Any], **options: Any) -> None:
        environment = {**job["environment"], "NOTEBOOK": json.dumps(dict(os.environ))}
        super().__init__(*args, job={**job, "environment": environment}, **options)


@mutant("CLUSTER-031", Toy)
class PassesItInside(ToyCluster):
    """A worker has the notebook's environment, in one variable."""

    job_class = WithAllInOne


class LabelledWithIt(Job):
    def __init__(self, *args: Any, job: dict[str, Any], **options: Any) -> None:
        labels = {**job["labels"], "session": os.environ["JUPYTERHUB_API_TOKEN"]}
        super().__init__(*args, job={**job, "labels": labels}, **options)


@mutant("CLUSTER-031", Toy)
class LabelsIt(ToyCluster):
    """A worker is found again by a label that is the token."""

    job_class = LabelledWithIt


@mutant("CLUSTER-031", Toy)
class LogsIt(ToyCluster):
    """Whoever debugs it sees the environment in the log."""

    def __init__(self, **options: Any) -> None:
        logging.getLogger(__name__).debug("made in %s", dict(os.environ))
        super().__init__(**options)
