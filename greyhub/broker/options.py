"""What a user may ask of a cluster, and the settings that come of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from dask_gateway_server.backends.base import ClusterConfig, PublicException
from dask_gateway_server.options import Bool, Field, Float, Integer, String
from dask_gateway_server.options import Mapping as MappingField
from traitlets import Bool as BoolTrait
from traitlets import List, Unicode

GIB: Final = 2**30

RESERVED: Final = re.compile(r"(DASK_GATEWAY_|DASK_DISTRIBUTED__COMM__|JUPYTERHUB_|LD_)", re.I)
"""Variables that are the platform's to set."""


class BrokerClusterConfig(ClusterConfig):  # type: ignore[misc]
    """What the broker knows of a cluster, beyond dask-gateway's own settings."""

    groups: List[Any] = List(help="The groups that its owner was in when it was made.").tag(
        config=True
    )
    server = Unicode(help="The name of the owner's server that asked for it.").tag(config=True)
    known_server = BoolTrait(help="Whether ``server`` was said.").tag(config=True)
    persist = BoolTrait(help="Whether it outlives that server.").tag(config=True)
    python = Unicode(help="The interpreter of its scheduler and workers.").tag(config=True)


class Memory(Field):  # type: ignore[misc]
    """A size in GiB, as a number, or as text with a unit: ``"512 M"``."""

    units: Final = {"K": 2.0**-20, "M": 2.0**-10, "G": 1.0, "T": 2.0**10}

    def __init__(self, field: str, default: float) -> None:
        super().__init__(field, default=default)

    def validate(self, x: Any) -> float:
        """The size in GiB."""
        if isinstance(x, int | float) and not isinstance(x, bool):
            size = float(x)
        elif found := re.fullmatch(r"\s*([\d.]+)\s*([KMGT])(i?B)?\s*", str(x), re.IGNORECASE):
            size = float(found[1]) * self.units[found[2].upper()]
        else:
            raise TypeError(f"{self.field} is a number of GiB, or text such as '4 G', not {x!r}")
        if not 0 < size < float("inf"):
            raise ValueError(f"{self.field} must be above 0")
        return size

    def json_type_spec(self) -> dict[str, Any]:
        """For dask-gateway's own client: a number."""
        return {"type": "float", "min": 0}


def base_fields(defaults: Mapping[str, Any]) -> list[Field]:
    """What can be asked of every backend."""
    return [
        Integer("worker_cores", default=defaults["worker_cores"], min=1),
        Memory("worker_memory", default=defaults["worker_memory"]),
        Float("idle_timeout", default=defaults["idle_timeout"], min=0),
        MappingField("environment"),
        String("python", default=""),
        String("server", default="-"),
        Bool("persist", default=False),
        String("key", default=""),
    ]


def base_settings(asked: Mapping[str, Any], most: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of what was asked.

    Parameters
    ----------
    most : mapping
        The most cores and memory of a worker, the longest idle time, and the interpreter where
        none was named.

    Raises
    ------
    PublicException
        Something is not to be had: said in words.
    """
    for name, unit in (("worker_cores", "cores"), ("worker_memory", "GiB of memory")):
        if asked[name] > most[name]:
            raise PublicException(
                f"a worker has at most {most[name]:g} {unit} on this platform, and "
                f"{asked[name]:g} were asked for"
            )
    idle, longest = asked["idle_timeout"], most["idle_timeout"]
    if longest and not 0 < idle <= longest:
        raise PublicException(
            f"a cluster without work ends after {longest:g} seconds at most on this platform: "
            f"idle_timeout={idle:g} cannot be had"
        )
    python = asked["python"] or most["python"]
    if asked["python"] and not re.fullmatch(r"/[^\x00]*", asked["python"]):
        raise PublicException(f"python={python!r} is no absolute path of an interpreter")
    said = asked["server"] != "-"
    return {
        "worker_cores": asked["worker_cores"],
        "worker_memory": int(asked["worker_memory"] * GIB),
        "idle_timeout": idle,
        "adaptive_period": 1.0,
        "environment": environment(asked["environment"]),
        "python": python,
        "scheduler_cmd": [python, "-m", "dask", "scheduler"],
        "worker_cmd": [python, "-m", "dask", "worker"],
        "server": asked["server"] if said else "",
        "known_server": said,
        "persist": asked["persist"],
    }


def environment(asked: Mapping[Any, Any]) -> dict[str, str]:
    """Variables that a user gives to scheduler and workers."""
    for name, value in asked.items():
        if not re.fullmatch(r"[A-Za-z_]\w*", str(name)) or RESERVED.match(str(name)):
            raise PublicException(f"environment: {name!r} is not a variable that you can set")
        if not isinstance(value, str) or "\x00" in value:
            raise PublicException(f"environment: the value of {name} must be text")
    return {str(name): value for name, value in asked.items()}
