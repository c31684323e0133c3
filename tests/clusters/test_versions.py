"""What is compared between a notebook and a cluster before work is sent."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import Distribution
from pathlib import Path
from typing import Any

import pytest

from greyhub.clusters import versions
from greyhub.clusters.installed import installed
from greyhub.clusters.scheduler_check import compare, workers
from greyhub.errors import ClusterError

HERE: dict[str, Any] = {
    "python": "3.11.2",
    "versions": {
        "dask": "2026.8.0",
        "distributed": "2026.8.0",
        "cloudpickle": "3.1.2",
        "msgpack": "1.1.2",
        "lz4": "4.4.5",
        "numpy": "2.4.0",
        "greyhub": "0.1.0",
    },
    "places": {},
}


def there(python: str = "3.11.9", **changed: str | None) -> dict[str, Any]:
    found = {**HERE["versions"], **changed}
    kept = {name: version for name, version in found.items() if version}
    return {"python": python, "versions": kept, "places": {}}


@pytest.mark.parametrize(
    ("other", "differs"),
    [
        (there(), []),
        (there(python="3.12.2"), ["python"]),
        (there(dask="2026.3.0", distributed="2026.3.0"), ["dask", "distributed"]),
        (there(numpy=None, lz4=None), ["lz4", "numpy"]),
        (there(cloudpickle="3.0.0", msgpack="1.0.0"), ["cloudpickle", "msgpack"]),
        (there(greyhub="0.2.0"), ["greyhub"]),
        (there(greyhub=None), []),
        (there(xarray="2026.9.0"), []),
    ],
)
def test_python_and_what_dask_speaks_with_must_be_the_same(
    other: dict[str, Any], differs: list[str]
) -> None:
    assert [each.name for each in versions.core(HERE, other)] == differs


def test_numpy_may_be_the_workers_alone_and_lz4_not() -> None:
    bare = {**HERE, "versions": dict(HERE["versions"])}
    del bare["versions"]["numpy"], bare["versions"]["lz4"]
    assert [each.name for each in versions.core(bare, there())] == ["lz4"]


async def test_the_error_names_each_package_with_both_versions_and_a_fix() -> None:
    other = {**installed(), "python": "3.9.1"}
    other["versions"] = {**other["versions"], "dask": "2020.1.0"}  # type: ignore[dict-item]
    with pytest.raises(ClusterError) as refused:
        await compare(other, "ignore", home=False)
    said = str(refused.value)
    assert f"python       here {sys.version.split()[0]}, on the cluster 3.9.1" in said
    assert "on the cluster 2020.1.0" in said
    assert "fix:" in said


async def test_a_package_that_the_workers_lack_is_refused_or_warned_of_or_ignored() -> None:
    other = installed()
    kept = dict(other["versions"])  # type: ignore[call-overload]
    del kept["h5py"]
    other["versions"] = {**kept, "only-there": "1"}
    with pytest.raises(ClusterError, match=r"h5py +here .+ on the cluster not installed") as no:
        await compare(other, "refuse", home=True)
    assert "hub.cluster(home=True)" in str(no.value)
    assert 'hub.cluster(packages="ignore")' in str(no.value)
    with pytest.warns(UserWarning, match="h5py"):
        await compare(other, "warn", home=False)
    await compare(other, "ignore", home=False)


async def test_tools_of_the_notebook_may_be_missing_on_the_workers() -> None:
    other = installed()
    absent = {"pip", "jupyterlab", "jupyterlab-server", "async-lru", "ipykernel", "notebook-shim"}
    found: dict[str, str] = other["versions"]  # type: ignore[assignment]
    other["versions"] = {name: version for name, version in found.items() if name not in absent}
    assert len(found) > len(other["versions"])  # type: ignore[arg-type]
    await compare(other, "refuse", home=False)


class Package(Distribution):
    def __init__(self, name: str, *needs: str, classifier: str = "") -> None:
        told = [f"Name: {name}", *(f"Requires-Dist: {each}" for each in needs)]
        self.text = "\n".join(told + ([f"Classifier: {classifier}"] if classifier else []))

    def read_text(self, filename: str) -> str | None:
        return self.text if filename == "METADATA" else None

    def locate_file(self, path: Any) -> Any:
        return Path(path)


def test_a_tool_is_known_by_its_name_its_classifier_or_who_needs_it() -> None:
    found = versions.tools_among(
        [
            Package("JupyterLab", "only_lab>=1", "shared"),
            Package("vim-keys", classifier="Framework :: Jupyter :: JupyterLab"),
            Package("only.lab", "deeper"),
            Package("deeper", "only-lab"),
            Package("science", "shared", "pip; extra == 'dev'"),
            Package("shared"),
            Package("lonely"),
        ]
    )
    assert found == {"jupyterlab", "vim-keys", "only-lab", "deeper"}


def test_the_first_on_the_path_is_what_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place, entry in (
        ("mine", "Some.Thing-1.0.dist-info"),
        ("mine", "old_egg-2.1-py3.11.egg-info"),
        ("mine", "~umpy-1.0.dist-info"),
        ("theirs", "some_thing-2.0.dist-info"),
    ):
        (tmp_path / place / entry).mkdir(parents=True)
    path = [str(tmp_path / "mine"), str(tmp_path / "away"), str(tmp_path / "theirs")]
    monkeypatch.setattr(sys, "path", path)
    told = installed()
    assert told["versions"] == {"some-thing": "1.0", "old-egg": "2.1"}
    assert told["places"] == dict.fromkeys(["some-thing", "old-egg"], path[0])


def test_what_a_scheduler_evaluates_needs_no_greyhub() -> None:
    script = f"import sys\nprint(eval({versions.EXPRESSION!r})['python'])\n"
    script += "assert not [name for name in sys.modules if name.startswith('greyhub')]"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert ran.stdout.strip() == sys.version.split()[0], ran.stderr


async def test_a_worker_of_another_python_is_found() -> None:
    from distributed.versions import get_versions

    class Scheduler:
        async def broadcast(self, **_: Any) -> dict[str, Any]:
            other = get_versions()
            packages = {**other["packages"], "python": "3.9.1.final.0"}
            return {"tls://a:1": get_versions(), "tls://b:1": {**other, "packages": packages}}

    assert "on the cluster 3.9.1" in await workers(Scheduler(), ["tls://a:1", "tls://b:1"])
