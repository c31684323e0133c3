"""Generate the page of metrics: greyhub's own series, as the hub registers them."""

from __future__ import annotations

from typing import Any, Final

from greyhub.starts import metrics

HEAD: Final = """\
# Metrics

The hub's `/hub/metrics` is for Prometheus. It shows [JupyterHub's own
series](https://jupyterhub.readthedocs.io/en/stable/reference/metrics.html), whose names begin with
`jupyterhub_`, and greyhub's. No label names a user. They begin at nothing when the hub starts,
and what starts may come to is shown at 0 from then on, so that a Prometheus sees the first of each.
`greyhub status` and the home page tell of the last 500 starts. This page is made from the code:
`python -m greyhub.reference docs`.

Who asks must have the scope `read:metrics`. A Prometheus has it by the token in the variable
`GREYHUB_METRICS_TOKEN` of the hub, which it sends as a bearer's; then there is a service
`greyhub-metrics` with that scope and no other. The chart makes the token, a ServiceMonitor, a
NetworkPolicy and a dashboard: the values `monitoring` of [the chart](chart.md).

A Prometheus without an operator asks `/hub/metrics` with the token as `authorization:
{credentials: …}`, in a job that is called `hub`, as the dashboard has it.

| series | type | labels | what it is |
|---|---|---|---|
"""

TAIL: Final = """
`start` is `cold`, `warm` or `unknown`; phases and reasons are those of [Operate a
platform](../how-to/operate.md#how-long-servers-take-to-start).
"""

SERIES: Final[tuple[Any, ...]] = (
    metrics.DURATION,
    metrics.PHASE,
    metrics.FAILURES,
    metrics.SERVERS,
    metrics.IMAGE_SIZE,
)


def page() -> str:
    """The page as Markdown."""
    return HEAD + "".join(map(_row, SERIES)) + TAIL


def _row(series: Any) -> str:
    (family,) = series.describe()
    name = f"{family.name}_total" if family.type == "counter" else family.name
    labels = ", ".join(f"`{label}`" for label in series._labelnames)
    return f"| `{name}` | {family.type} | {labels} | {family.documentation} |\n"
