"""What of a home stays on the machine."""

from __future__ import annotations

import itertools

import pytest

from greyhub.homespace.sync.ignore import DEFAULTS, Rules

NAMES = (
    ".cache", "cache", "a", "b", "keep.bin", "x.bin", "ac", "x y", "foo", "z", "scratch", "t.pyc",
    "node_modules", ".venv", "new\nline", ".nfs0", "x.sw", ".x.swp",
)  # fmt: skip


@pytest.mark.parametrize(
    "own",
    [
        [],
        [
            "/scratch/",
            "!.cache/",
            "*.bin",
            "a/**/b",
            "!keep.bin",
            "[ab]c",
            "x\\ y",
            "foo/*",
            "**/z",
        ],
        ["*", "!a"],
        ["(", "a|b", "[", "# nothing", "", "z/"],
    ],
)
def test_asking_all_rules_at_once_gives_the_same_answer(own: list[str]) -> None:
    from pathspec import GitIgnoreSpec

    rules, alone = Rules(own), GitIgnoreSpec.from_lines([*DEFAULTS, *own])
    for depth in (1, 2, 3):
        for path in map("/".join, itertools.product(NAMES, repeat=depth)):
            assert rules.skip(path, folder=False) == alone.match_file(path), path
            assert rules.skip(path, folder=True) == alone.match_file(f"{path}/"), path
