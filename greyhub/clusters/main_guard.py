"""Refuse clusters in scripts without a main guard, which workers would run again.

Where these start a cluster, each worker would start one, too; multiprocessing ends that in
some two hundred lines of traceback, which name neither the line nor what to write.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from types import FrameType

from greyhub.errors import ClusterError

_LINES = "put what starts the cluster, and what comes after it, under if __name__ == '__main__':"


def require_guard() -> None:
    """Refuse to start workers from a line that each of them would run again.

    Raises
    ------
    greyhub.errors.ClusterError
        Names the line, and what to write.
    """
    main = sys.modules["__main__"]
    file, spec = getattr(main, "__file__", None), getattr(main, "__spec__", None)
    if not file or (spec is not None and spec.name.endswith("__main__")):
        return  # a notebook, or a package's own program: workers do not run these
    if file == "<stdin>":
        raise ClusterError(
            "a cluster cannot be started by a script that is read from standard input: "
            "its workers cannot read it again.\n  fix: write it to a file, or use a notebook"
        )
    line = _top_line(sys._getframe())
    if line and not _is_guarded(Path(file), line):
        raise ClusterError(
            f"{file}:{line}: each worker would run this line again as it starts.\n  fix: {_LINES}"
        )


def _top_line(frame: FrameType | None) -> int:
    """The line of the main script that is being run at its top level; 0 if none is."""
    while frame is not None:
        if frame.f_code.co_name == "<module>" and frame.f_globals.get("__name__") == "__main__":
            return frame.f_lineno
        frame = frame.f_back
    return 0


def _is_guarded(file: Path, line: int) -> bool:
    """Whether a line stands under a condition on ``__name__``; true where it cannot be told."""
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return True
    return any(
        each.lineno <= line <= (each.end_lineno or 0)
        for each in ast.walk(tree)
        if isinstance(each, ast.If) and _asks_for_the_name(each.test)
    )


def _asks_for_the_name(condition: ast.expr) -> bool:
    names = (each.id for each in ast.walk(condition) if isinstance(each, ast.Name))
    return "__name__" in names
