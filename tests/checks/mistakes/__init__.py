"""Mistakes that happened to somebody, each with what greyhub must say of it."""

from __future__ import annotations

from tests.checks.mistakes.access import ACCESS
from tests.checks.mistakes.addresses import ADDRESSES
from tests.checks.mistakes.amounts import AMOUNTS
from tests.checks.mistakes.lines import LINES
from tests.checks.mistakes.machine import MACHINE
from tests.checks.mistakes.mistake import Mistake
from tests.checks.mistakes.profiles import PROFILES
from tests.checks.mistakes.resources import RESOURCES
from tests.checks.mistakes.rules import RULES
from tests.checks.mistakes.secrets import SECRETS
from tests.checks.mistakes.sections import SECTIONS
from tests.checks.mistakes.slots import SLOTS
from tests.checks.mistakes.startup import STARTUP
from tests.checks.mistakes.values import VALUES

MISTAKES = (
    *(*SECTIONS, *VALUES, *LINES, *SLOTS, *RULES, *ACCESS, *ADDRESSES, *AMOUNTS),
    *(*SECRETS, *STARTUP, *RESOURCES, *PROFILES, *MACHINE),
)

__all__ = ["MISTAKES", "Mistake"]
