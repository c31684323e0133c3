"""Sizes, durations and numbers that are none, negative or zero."""

from __future__ import annotations

from tests.checks.mistakes.mistake import Mistake

SIZE = 'give a size, such as "10 GB"'
DURATION = 'give a duration, such as "20 minutes"'
STORE = 'c.GreyHub.homespace = "s3://homes/{username}"\n'
BROKER = 'c.GreyHub.cluster = "local-broker"\n'
AMOUNTS = tuple(
    Mistake(
        f"c.{option} = {value!r}",
        f"{before}c.{option} = {value!r}  # here",
        f"c.{option}",
        says,
        fix,
    )
    for before, option, value, says, fix in (
        ("", "LocalCluster.memory_limit", "-2 GiB", "'-2 GiB' is no size", SIZE),
        ("", "LocalCluster.memory_limit", "0 GiB", "'0 GiB' is zero", SIZE),
        ("", "LocalCluster.memory_limit", "", "'' is empty", SIZE),
        ("", "LocalCluster.memory_limit", "much", "'much' is no size", SIZE),
        ("", "LocalCluster.memory_limit", 2**31, "the int 2147483648 is not a size", SIZE),
        ("", "LocalCluster.idle_timeout", "20 minits", "is no duration", DURATION),
        ("", "LocalCluster.idle_timeout", "-5 minutes", "is no duration", DURATION),
        ("", "LocalCluster.idle_timeout", "0 s", "'0 s' is zero", DURATION),
        ("", "LocalCluster.idle_timeout", 1200, "the int 1200 is not a duration", DURATION),
        ("", "LocalCluster.threads_per_worker", 0, "less than 1", "write a number from 1"),
        ("", "LocalCluster.max_workers", -1, "-1 is below zero", "leave it out for 0"),
        (STORE, "HomespaceAdapter.quota", "-1 GB", "is no size", SIZE),
        (STORE, "HomespaceAdapter.quota", "0 GB", "'0 GB' is zero", SIZE),
        (STORE, "HomespaceAdapter.quota", "10 XB", "is no size", SIZE),
        (STORE, "HomespaceAdapter.quota_files", -1, "less than 0", "write a number from 0"),
        (BROKER, "LocalBrokerCluster.worker_memory", "-2 GiB", "is no size", SIZE),
        (BROKER, "LocalBrokerCluster.max_worker_memory", "0", "'0' is zero", SIZE),
        (BROKER, "LocalBrokerCluster.worker_cores", 0, "less than 1", "write a number from 1"),
        (BROKER, "LocalBrokerCluster.server_grace", -1.0, "less than 0", "write a number from 0"),
        (BROKER, "LocalBrokerCluster.idle_timeout", -1.0, "below zero", "leave it out for 1200"),
    )
)
