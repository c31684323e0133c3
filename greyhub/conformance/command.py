"""``greyhub conform``: the commands; the work is done in other modules."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from greyhub.conformance import contract as contracts
from greyhub.conformance.limits import PATIENCE, VARIABLE
from greyhub.conformance.suite import SuiteError

NOT_PROVEN, USAGE = 2, 3


class Exit(click.ClickException):
    """Ends the command with a message and a status of its own."""

    def __init__(self, message: str, status: int = 1) -> None:
        super().__init__(message)
        vars(self)["exit_code"] = status


class Conform(click.Group):
    """A group whose usage errors end with 3: 2 means that nothing was proven."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """As click's, but for the status of usage errors."""
        with _usage():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        """As click's, but for the status of usage errors."""
        with _usage():
            return super().invoke(ctx)


@contextmanager
def _usage() -> Iterator[None]:
    try:
        yield
    except click.UsageError as error:
        vars(error)["exit_code"] = USAGE
        raise
    except SuiteError as error:
        raise Exit(str(error), USAGE) from error


@click.group(
    cls=Conform,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0, conformant; 1, a MUST failed; 2, something is unproven, or the suite "
    "itself broke; 3, the command was called wrongly.",
)
def conform() -> None:
    """Judge an adapter by the contract of its slot.

    \b
    greyhub conform new spawner acme-spawner        a package to begin with
    greyhub conform run my_tests:TestMine --certify  the verdict
    greyhub conform explain SPAWNER-007             what a clause wants, and why
    """  # noqa: D301


@conform.command()
@click.argument("target", metavar="MODULE:CLASS")
@click.option("--clause", "clauses", multiple=True, metavar="ID", help="Only this clause; repeat.")
@click.option("--seed", type=int, help="Decides every random choice; shown with each failure.")
@click.option(
    "--patience", type=float, default=PATIENCE, help=f"Multiplies every time limit; ${VARIABLE}."
)
@click.option("--certify", is_flag=True, help="Judge the whole contract, for the badge.")
@click.option("--json", "json_file", type=Path, metavar="F", help="Write the report as JSON.")
@click.option("--junit", "junit_file", type=Path, metavar="F", help="Write it as JUnit's XML.")
@click.option("--html", "html_file", type=Path, metavar="F", help="Write it as a page.")
@click.option(
    "--withhold", is_flag=True, help="Keep what may be a security fault out of what is written."
)
@click.option("--quiet", is_flag=True, help="Show only what was not kept, and the verdict.")
def run(
    target: str,
    clauses: tuple[str, ...],
    seed: int | None,
    patience: float,
    certify: bool,
    json_file: Path | None,
    junit_file: Path | None,
    html_file: Path | None,
    withhold: bool,
    quiet: bool,
) -> None:
    """Run the suite that an author has written."""
    from greyhub.conformance.report import junit, page, terminal, withholding
    from greyhub.conformance.subprocess_run import run_in_subprocess

    if certify and clauses:
        raise click.UsageError("--certify judges the whole contract: leave --clause out")
    try:
        report = run_in_subprocess(
            target,
            clauses=clauses,
            seed=seed,
            patience=patience,
            watch=lambda result: None if quiet else click.echo(terminal.line(result)),
        )
    except RuntimeError as error:
        raise Exit(str(error), NOT_PROVEN) from error
    written = withholding.of(report) if withhold else report
    for path, render in (
        (json_file, lambda r: r.dumps() + "\n"),
        (junit_file, junit.render),
        (html_file, page.render),
    ):
        if path is not None:
            path.write_text(render(written), encoding="utf-8")
    for line in terminal.summary(report):
        click.echo(line)
    if certify and report.exit_code == 0 and not report.certified:
        raise Exit("not certified: not every clause was run", NOT_PROVEN)
    sys.exit(report.exit_code)


def _current(slot: str) -> str:
    """A slot's name; a former one is still good, and its user is told."""
    if slot not in contracts.FORMER:
        return slot
    click.echo(f"the slot {slot} is called {contracts.FORMER[slot]} now", err=True)
    return contracts.FORMER[slot]


@conform.command("list")
@click.argument("slots", nargs=-1, metavar="[SLOT]...")
def list_clauses(slots: tuple[str, ...]) -> None:
    """List the clauses of the contracts."""
    known = {each.slot: each for each in contracts.contracts()}
    for slot in map(_current, slots) if slots else known:
        if slot not in known:
            raise click.UsageError(f"there is no slot {slot!r}: there are {', '.join(known)}")
        click.secho(known[slot].name, bold=True)
        for clause in known[slot].clauses.values():
            needs = f" [{', '.join(clause.needs)}]" if clause.needs else ""
            mark = "listed" if clause.listed else clause.level
            click.echo(f"  {clause.id:<12} {mark:<7}{needs} {clause.promise}")


@conform.command()
@click.argument("name", metavar="ID")
def explain(name: str) -> None:
    """Say all about one clause: the promise, the test, the real fault behind it."""
    try:
        owner, clause = contracts.find(name.upper())
    except KeyError:
        raise click.UsageError(f"there is no clause {name}: greyhub conform list") from None
    provisional = " (provisional)" if owner.provisional(clause) else ""
    click.secho(f"{clause.id} {clause.level} since {owner.slot}/{clause.since}{provisional}")
    click.echo(f"\n{clause.promise}")
    if clause.about:
        click.echo(f"\n{clause.about}")
    rows = [
        ("needs", ", ".join(clause.needs) or "nothing: it is of the core"),
        ("declined", "then it must be refused cleanly, which is tested" if clause.refusal else ""),
        ("looks by", ", ".join(f"{hook}()" for hook in clause.hooks)),
        ("guards", clause.guards),
        ("listed", clause.listed),
        *(("seen", link) for link in clause.seen),
    ]
    click.echo()
    for label, text in rows:
        if text:
            click.echo(f"  {label:<9} {text}")


@conform.command()
@click.argument("report", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("-o", "--output", type=Path, help="By default, beside the report, as .svg.")
def badge(report: Path, output: Path | None) -> None:
    """Make the badge of a report that --json has written."""
    from greyhub.conformance.report import badge as badges
    from greyhub.conformance.result import Report

    try:
        read = Report.loads(report.read_text(encoding="utf-8"))
    except (ValueError, TypeError) as error:
        raise click.UsageError(f"{report}: {error}") from error
    path = output or report.with_suffix(".svg")
    path.write_text(badges.render(read), encoding="utf-8")
    click.echo(f"{path}: {read.contract} {read.verdict} ({read.mode})")


@conform.command()
@click.argument("slot")
@click.argument("name")
@click.option("-o", "--output", type=Path, help="The directory; by default, the name.")
def new(slot: str, name: str, output: Path | None) -> None:
    """Write an installable package: an adapter on a toy backend, its suite, CI, a README.

    \b
    greyhub conform new spawner acme-spawner
    greyhub conform new homespace acme-homes -o ../acme-homes
    """  # noqa: D301
    from greyhub.conformance import new as packages

    directory = output or Path(name)
    for path in packages.write(_current(slot), name, directory):
        click.echo(path)
    click.echo(f"\nnext: cd {directory}; pip install -e '.[test]'; pytest")


@conform.command()
@click.argument("modules", nargs=-1, required=True, metavar="MODULE...")
@click.option("--jobs", type=int, default=0, help="At one time; by default, six a processor.")
@click.option("--alone", is_flag=True, help="Only the clause that each must fail: faster.")
@click.option(
    "--patience", type=float, default=PATIENCE, help=f"Multiplies every time limit; ${VARIABLE}."
)
@click.option(
    "--only", multiple=True, metavar="NAME", help="Only mutants of this name or clause; repeat."
)
def mutants(
    modules: tuple[str, ...], jobs: int, alone: bool, patience: float, only: tuple[str, ...]
) -> None:
    """Prove the suite itself: every broken adapter fails its clause, and no other."""
    from greyhub.conformance import mutation

    found = [
        each
        for each in mutation.collect(modules)
        if not only or {each.fails, each.name.rpartition(":")[2]} & set(only)
    ]
    if not found:
        raise click.UsageError(f"no mutants in {', '.join(modules)}")

    def show(trial: mutation.MutantResult) -> None:
        good = trial.status is mutation.Status.KILLED
        click.secho(
            f"{trial.status:<16} {trial.fails:<12} {trial.mutant}", fg=None if good else "red"
        )
        if not good:
            click.echo(f"{'':<16} {', '.join(trial.by)} {trial.message}")

    began = time.monotonic()
    done = mutation.run_mutants(found, jobs=jobs, alone=alone, patience=patience, watch=show)
    missing = []
    if not only:
        kinds = {each.suite.contract.name: each.suite.contract for each in found}
        missing = [gap for each in kinds.values() for gap in mutation.gaps(each, found)]
    for gap in missing:
        click.secho(gap, fg="red")
    killed = sum(trial.status is mutation.Status.KILLED for trial in done)
    click.echo(
        f"{killed} of {len(done)} mutants killed, {len(missing)} clauses unguarded, "
        f"in {time.monotonic() - began:.0f} s"
    )
    sys.exit(0 if killed == len(done) and not missing else 1)
