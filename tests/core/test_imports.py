"""What may import what: the contracts of pyproject.toml, and no circle of modules."""

from __future__ import annotations

from graphlib import TopologicalSorter
from pathlib import Path

import grimp
from importlinter.application.use_cases import SUCCESS, lint_imports
from importlinter.configuration import configure

ROOT = Path(__file__).parents[2]


def test_imports_keep_the_contracts(capsys):
    """The interface, the slots, the adapters; the notebook's half and the hub's."""
    configure()
    kept = lint_imports(config_filename=str(ROOT / "pyproject.toml"), cache_dir=None)
    assert kept == SUCCESS, capsys.readouterr().out


def test_no_module_imports_itself_by_way_of_others():
    """At module level, inside functions and for types: packages and what is in them, too.

    `greyhub` itself only hands out the public names, when they are asked for.
    """
    graph = grimp.build_graph("greyhub", cache_dir=None)
    modules = {
        module: graph.find_modules_directly_imported_by(module) - {"greyhub"}
        for module in graph.modules - {"greyhub"}
    }
    TopologicalSorter(modules).prepare()  # CycleError names the modules
