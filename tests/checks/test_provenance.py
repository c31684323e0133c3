"""Where an option was set, however the line is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from greyhub.checks.config_loader import Loader
from greyhub.checks.provenance import Trace, caller
from greyhub.checks.traced_config import trace_of
from tests.checks.starting import HERE


def read(directory: Path, text: str) -> tuple[object, Trace]:
    (directory / "part.py").write_text("c.Part.x = 1\n")
    (directory / "file.py").write_text(text)
    config = Loader("file.py", path=str(directory)).load_config()
    trace = trace_of(config)
    assert trace is not None
    return config, trace


LINES = (
    f"c.A.b = 1  {HERE}",
    f'c["A"]["b"] = 1  {HERE}',
    f'c["A"].b = 1  {HERE}',
    f'setattr(c.A, "b", 1)  {HERE}',
    f'c.A.update({{"b": 1}})  {HERE}',
    f'c.update({{"A": {{"b": 1}}}})  {HERE}',
    f'c.A |= {{"b": 1}}  {HERE}',
    f'c.A.setdefault("b", 1)  {HERE}',
    f"c.A = type(c)(dict(b=1))  {HERE}",
    f"section = c.A\nsection.b = 1  {HERE}",
    f"def helper(d):\n    d.A.b = 1  {HERE}\nhelper(c)",
    f"c.A.b = 0\nc.A.b = 1  {HERE}",
    f"c.A.b.append(1)  {HERE}",
    f"from traitlets.config import Config\nc.merge(Config(A=Config(b=1)))  {HERE}",
    f"get_config().A.b = 1  {HERE}",
    f"c.A.b = {{  {HERE}\n    1: 2,\n}}",
    f"load_subconfig('part.py')\nc.A.b = 1  {HERE}",
)


@pytest.mark.parametrize("text", LINES)
def test_the_line_is_known(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    _, trace = read(tmp_path, text)
    place = trace.find("A", "b")
    assert place is not None
    assert "# here" in text.splitlines()[place.line - 1]
    assert str(place) == f"file.py:{place.line}"


def test_a_part_keeps_its_own_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    _, trace = read(tmp_path, "load_subconfig('part.py')\nload_subconfig('none.py')")
    assert str(trace.find("Part", "x")) == "part.py:1"
    assert [name for name, _ in trace.missing] == ["none.py"]


def test_what_is_not_known_is_absent(tmp_path: Path) -> None:
    _, trace = read(tmp_path, "c.A.b = 1")
    assert trace.find("A", "c") is None
    assert trace.find("B", "b") is None


def test_what_others_write_later_is_not_noted(tmp_path: Path) -> None:
    config, trace = read(tmp_path, "c.A.b = 1")
    config.A.c = 2  # type: ignore[attr-defined]
    assert trace.find("A", "c") is None


def test_the_configuration_is_what_it_would_be(tmp_path: Path) -> None:
    from traitlets.config.loader import PyFileConfigLoader

    apart = (
        "part.py",
        "append",
        "c.update",
    )  # files, lazy values, and what theirs cannot go on from
    text = "\n".join(line for line in LINES if not any(each in line for each in apart))
    ours, _ = read(tmp_path, text)
    theirs = PyFileConfigLoader("file.py", path=str(tmp_path)).load_config()
    assert ours == theirs


def test_the_caller_is_the_line_outside() -> None:
    place = caller()
    assert place is not None
    assert place.file == __file__
