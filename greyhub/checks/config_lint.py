"""Find lines of the config file that look like a setting and set nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from greyhub.adapter import Finding
from greyhub.checks.provenance import Location, Trace


def check(trace: Trace | None) -> Iterator[Finding]:
    """Findings about the text of the files that were read, and how they were read."""
    if trace is None:
        return
    for file, tree in trace.trees():
        for node in ast.walk(tree):
            yield from _idle(file, node)
    for name, place in trace.missing:
        yield Finding(
            "error",
            f"load_subconfig({name!r}) found no such file, and goes on without a word",
            "fix the path; a file that may be missing is asked for first: "
            "if os.path.exists(path): load_subconfig(path)",
            place=str(place or ""),
        )
    yield from _overruled(trace)


def _idle(file: str, node: ast.AST) -> Iterator[Finding]:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Compare):
        option = _option(node.value.left)
        if option and isinstance(node.value.ops[0], ast.Eq):
            yield _finding(file, node, option, "this compares and sets nothing", f"{option} = …")
    elif isinstance(node, ast.AnnAssign) and node.value is None:
        option = _option(node.target)
        if option:
            yield _finding(
                file, node, option, "a colon sets nothing: this is an annotation", f"{option} = …"
            )
    elif isinstance(node, ast.Expr):
        option = _option(node.value)
        if option:
            yield _finding(
                file, node, option, "this names an option and sets nothing", f"{option} = …"
            )


def _finding(file: str, node: ast.stmt, option: str, what: str, fix: str) -> Finding:
    return Finding("error", what, f"write {fix}", option, str(Location(file, node.lineno)))


def _option(node: ast.AST) -> str:
    """``c.Section.option`` as it is written, or nothing."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.insert(0, node.attr)
        node = node.value
    if isinstance(node, ast.Name) and node.id == "c" and len(names) == 2 and names[0][:1].isupper():
        return ".".join(("c", *names))
    return ""


def _overruled(trace: Trace) -> Iterator[Finding]:
    """An option that one file sets twice, both times at its top level."""
    for path, places in trace.twice():
        first, last = places[-2:]
        if first.file == last.file and _plain(first) and _plain(last):
            yield Finding(
                "note",
                f"the value of line {first.line} is undone by line {last.line}",
                "keep one of the two lines",
                ".".join(("c", *path)),
                str(first),
            )


def _plain(place: Location) -> bool:
    """Whether a place is an assignment that always happens."""
    try:
        with open(place.file, "rb") as file:
            tree = ast.parse(file.read())
    except (OSError, SyntaxError):
        return False
    return any(
        isinstance(node, ast.Assign) and node.lineno == place.line and _is_new(node)
        for node in tree.body
    )


def _is_new(node: ast.Assign) -> bool:
    """Not ``c.X.y = c.X.y + […]``, which builds on what was there."""
    option = _option(node.targets[0])
    return all(_option(each) != option for each in ast.walk(node.value))
