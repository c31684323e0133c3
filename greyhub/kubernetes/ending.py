"""End a pod, and know that it is gone."""

from __future__ import annotations

import asyncio

from greyhub.kubernetes.failures import lost_node
from greyhub.kubernetes.objects import Objects
from greyhub.kubernetes.watching import Watch


class StillThere(Exception):
    """A pod that was to end is there still."""


async def end_pod(objects: Objects, watch: Watch, name: str, grace: int, seconds: float) -> None:
    """Delete a pod, and wait until the API server says that it is gone; fine if there is none.

    Parameters
    ----------
    watch : Watch
        Of pods, this one among them.
    grace : int
        Seconds for it to end by itself.
    seconds : float
        How long to wait beyond that.

    Raises
    ------
    StillThere
        It has not ended in that time.
    greyhub.kubernetes.requests.Unreachable
        The API server does not say.
    """
    key, changed = f"{objects.namespace}/{name}", True
    await objects.delete_pod(name, grace)
    try:
        async with asyncio.timeout(grace + seconds):
            while True:
                # The watch says when to ask; what the API server says of the name counts.
                known = watch.pods.get(key)
                if (known is None or not changed) and await objects.pod(name) is None:
                    return
                changed = await watch.change(key, 2 if watch.pods.get(key) is None else 10)
    except TimeoutError:
        why = lost_node(watch.pods.get(key))
        raise StillThere(f"The pod {name} does not end" + (f": {why}" if why else ".")) from None
