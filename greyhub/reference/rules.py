"""The parts of the page of options that tell of rules between them, and of risks."""

from __future__ import annotations

from greyhub.adapter import Adapter
from greyhub.reference.classes import classes


def rules() -> str:
    """The rules, the facts that they are about, and the adapters' needs."""
    from greyhub.checks.facts import FACTS
    from greyhub.checks.rules import EXCLUSIVE, EXISTING, REQUIRED, RULES

    lines = [
        "## Rules between options and slots",
        "A configuration that breaks one of these does not start. A warning or a note is said, "
        "and the hub starts. What an adapter needs of the others, it says with the names below: "
        "see `greyhub.adapter.Adapter.needs`.",
        "| where | it must be so that | otherwise |\n| --- | --- | --- |\n"
        + "\n".join(
            f"| {' and '.join(_called(name) for name in rule.when)} | {_called(rule.needs)} "
            f"| {rule.level}: {rule.because} |"
            for rule in RULES
        ),
        "| name | what it says of a platform |\n| --- | --- |\n"
        + "\n".join(f"| `{fact.name}` | {fact.means} |" for fact in FACTS.values()),
        "Of each of these pairs, one option may be set:",
        "\n".join(
            f"- `c.{'.'.join(pair.one)}` and `c.{'.'.join(pair.other)}`: {pair.because}"
            for pair in EXCLUSIVE
        ),
        "These must be set where the class is in use:",
        "\n".join(
            f"- `{required.cls}`: {', '.join(f'`{name}`' for name in required.options)}"
            for required in REQUIRED
        ),
        "These must name what is there:",
        "\n".join(f"- `c.{'.'.join(each.option)}`: a {each.kind}" for each in EXISTING),
    ]
    needs = [
        f"| `{adapter.__name__}` | {_called(name)} | {because} |"
        for _, adapter, _ in classes()
        if issubclass(adapter, Adapter)
        for name, because in adapter.needs.items()
    ]
    if needs:
        lines.append("| adapter | needs | because |\n| --- | --- | --- |\n" + "\n".join(needs))
    return "\n\n".join(lines)


def _called(name: str) -> str:
    return f"not `{name.removeprefix('not ')}`" if name.startswith("not ") else f"`{name}`"


def risks() -> str:
    """The words of ``c.GreyHub.accepted_risks``."""
    from greyhub.checks.risks import RISKS

    rows = "\n".join(f"| `{name}` | {meaning} |" for name, meaning in RISKS.items())
    return (
        "## What can be accepted by name\n\n"
        "`c.GreyHub.accepted_risks` takes these words; without them, the hub does not start.\n\n"
        f"| word | what is accepted |\n| --- | --- |\n{rows}"
    )
