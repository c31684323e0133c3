"""``make reports``: judge greyhub's own adapters and strangers', and write docs/conformance.

    python -m tests.conformance.reports                     # all of them, which takes long
    python -m tests.conformance.reports homespace-s3 auth-dummy  # these; the table is made anew
    python -m tests.conformance.reports --table             # the table alone

Somebody else's adapter is published without what may be a security fault; the whole
reports go where ``--whole`` says, for the maintainers alone.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import json
import pkgutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from greyhub.conformance.contract import SLOTS
from greyhub.conformance.report import badge, withholding
from greyhub.conformance.result import Outcome, Report
from greyhub.conformance.suite import Suite
from tests.conformance import reports_table, strangers

ROOT = Path(__file__).parents[2]
PLACE = ROOT / "docs/conformance"

OWN = {f"greyhub-{slot}": f"tests.conformance.{slot}.suites:Local" for slot in SLOTS} | {
    "greyhub-auth-entra": "tests.conformance.auth.suites:Entra",
    "greyhub-auth-oidc": "tests.conformance.auth.suites:OpenID",
    "greyhub-cluster-azureml": "tests.conformance.cluster.azureml:AzureML",
    "greyhub-cluster-azureml-alone": "tests.conformance.cluster.azureml_alone:AzureMLAlone",
    "greyhub-cluster-gateway": "tests.conformance.cluster.gateways:Gateway",
    "greyhub-cluster-kubernetes": "tests.conformance.cluster.brokers:Kubernetes",
    "greyhub-cluster-local-broker": "tests.conformance.cluster.brokers:LocalBroker",
    "greyhub-data-azureml": "tests.conformance.data.suites:AzureML",
    "greyhub-homespace-azureml": "tests.conformance.homespace.suites:AzureML",
    "greyhub-homespace-kubernetes": "tests.conformance.homespace.suites:Claims",
    "greyhub-spawner-azureml": "tests.conformance.spawner.instances:Instances",
    "greyhub-spawner-kubernetes": "tests.conformance.spawner.pods:Kubernetes",
}
"""greyhub's own: the adapters of ``c.GreyHub.flavour = "local"``, and those of a cluster."""


def suites() -> dict[str, type[Suite]]:
    """All that is judged here, by name, in the order of the table."""
    found = {name: _class(target) for name, target in OWN.items()}
    found |= {f"{each.contract.slot}-{each.__name__.lower()}": each for each in _strangers()}
    slots = list(SLOTS)
    return dict(sorted(found.items(), key=lambda item: slots.index(item[1].contract.slot)))


def target(suite: type[Suite]) -> str:
    """How the command line names a suite."""
    return f"{suite.__module__}:{suite.__name__}"


def judge(name: str, suite: type[Suite], patience: float, seed: int) -> Report:
    """Run one suite, by the command that repeats it, and show what comes out.

    Raises
    ------
    RuntimeError
        The suite could not be run, or broke: what comes of that is no verdict.
    """
    print(f"{name:<24} ", end="", flush=True)
    with tempfile.TemporaryDirectory(prefix="greyhub-reports-") as folder:
        path = Path(folder) / "report.json"
        what = [target(suite), "--seed", str(seed), "--patience", str(patience), "--quiet"]
        if judged := getattr(suite, "judged", None):  # elsewhere than on this machine
            path.write_text(judged(what), "utf-8")
        else:
            run = [sys.executable, "-m", "greyhub.conformance", "run", *what, "--json", str(path)]
            done = subprocess.run(run, capture_output=True, text=True, check=False, cwd=ROOT)
            if not path.exists():
                raise RuntimeError(done.stderr[-2000:])
        report = Report.loads(path.read_text("utf-8"))
    counts = ", ".join(f"{number} {outcome}" for outcome, number in report.counts.items())
    if broke := report.having(Outcome.ERROR, Outcome.NOT_RUN):
        told = "; ".join(f"{each.id}: {each.message}" for each in broke)
        raise RuntimeError(f"the suite itself broke: {told}")
    print(f"{report.verdict} ({counts}, {report.seconds:.0f} s)", flush=True)
    return report


def publish(name: str, report: Report, place: Path = PLACE) -> None:
    """Write a report and its badge; what is not greyhub's own is withheld where it must be."""
    told = trimmed(report if name in OWN else withholding.of(report))
    place.mkdir(parents=True, exist_ok=True)
    (place / f"{name}.json").write_text(dumps(told), encoding="utf-8")
    (place / f"{name}.svg").write_text(badge.render(told), encoding="utf-8")


def trimmed(report: Report) -> Report:
    """The verdicts without their stories, which name places of the machine."""
    results = [
        dataclasses.replace(
            each,
            seconds=0.0,
            message=_brief(_anywhere(each.message)),
            done=[],
            said=[],
            saw=[],
            seen=[],
            trace="",
        )
        for each in report.results
    ]
    return dataclasses.replace(report, results=results)


def dumps(report: Report) -> str:
    """The report's JSON, a line for each clause, without what is empty."""
    values: dict[str, Any] = json.loads(report.dumps())
    results = [{k: v for k, v in each.items() if v} for each in values.pop("results")]
    lines = ",\n  ".join(json.dumps(each, ensure_ascii=False) for each in results)
    head = json.dumps(values, indent=1, ensure_ascii=False).removesuffix("\n}")
    return f'{head},\n "results": [\n  {lines}\n ]\n}}\n'


def read(place: Path = PLACE) -> dict[str, Report]:
    """The reports that are there, by name, in the order of the table."""
    paths = {name: place / f"{name}.json" for name in suites()}
    return {name: Report.loads(p.read_text("utf-8")) for name, p in paths.items() if p.exists()}


def write_table(place: Path = PLACE) -> None:
    """Make the page of all reports that are there."""
    text = reports_table.render(read(place), suites(), strangers.ABSENT)
    (place / "README.md").write_text(text, encoding="utf-8")


def main(arguments: list[str] | None = None) -> int:
    """Run what is named, or all."""
    known = suites()
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(known))
    parser.add_argument("--patience", type=float, default=2.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--whole", type=Path, help="a directory for the whole reports")
    parser.add_argument("--table", action="store_true", help="only make the table anew")
    options = parser.parse_args(arguments)
    if unknown := sorted(set(options.names) - set(known)):
        parser.error(f"there is no {', '.join(unknown)}")
    broke = 0
    for name in [] if options.table else options.names or known:
        if why := getattr(known[name], "hindrance", str)():
            print(f"{name:<24} not run: {why}", flush=True)
            continue
        try:
            report = judge(name, known[name], options.patience, options.seed)
        except RuntimeError as error:  # another adapter's turn comes all the same
            print(f"not judged, its report stays as it was: {error}", flush=True)
            broke += 1
            continue
        if options.whole:
            options.whole.mkdir(parents=True, exist_ok=True)
            (options.whole / f"{name}.json").write_text(report.dumps(), encoding="utf-8")
        publish(name, report)
    write_table()
    return 1 if broke else 0


def _strangers() -> Iterator[type[Suite]]:
    for info in pkgutil.iter_modules(strangers.__path__):
        module = importlib.import_module(f"{strangers.__name__}.{info.name}")
        for each in vars(module).values():
            ours = isinstance(each, type) and issubclass(each, Suite)
            if ours and each.__module__ == module.__name__ and not each.__name__.startswith("_"):
                yield each


def _class(name: str) -> type[Suite]:
    module, _, attribute = name.partition(":")
    found: type[Suite] = getattr(importlib.import_module(module), attribute)
    return found


def _brief(text: str, limit: int = 300) -> str:
    text = " ".join(text.split())
    return text if len(text) <= limit else f"{text[:limit]}…"


def _anywhere(text: str) -> str:
    for place, word in ((str(ROOT), "."), (sys.prefix, "<environment>")):
        text = text.replace(place, word)
    return text


if __name__ == "__main__":
    sys.exit(main())
