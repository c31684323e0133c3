"""The images are small and run as any uid: as far as that can be seen without building them."""

from __future__ import annotations

import re

import pytest

from tests.chart.rendering import ROOT
from tests.newest import pins

IMAGES = {
    "hub": {"dask-gateway-server", "jupyterhub", "jupyterhub-idle-culler"}
    | {"jupyterhub-kubespawner", "oauthenticator", "psutil", "psycopg2-binary"},
    "notebook": {"dask-gateway", "distributed", "intake", "jupyterhub", "jupyterlab"},
}
"""Images, and packages that must be in each."""


def instructions(name: str) -> list[tuple[str, str]]:
    """The instructions of a Dockerfile, in order."""
    text = (ROOT / "images" / name / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines)]


@pytest.mark.parametrize("name", IMAGES)
def test_it_runs_as_nobody_in_particular(name: str) -> None:
    said = dict(instructions(name))  # the last of each kind holds
    uid, _, gid = said["USER"].partition(":")
    assert int(uid) > 0
    assert int(gid) > 0
    assert said["ENTRYPOINT"] == '["tini", "--"]'
    assert "HOME=" in said["ENV"]
    assert "USER=" in said["ENV"]  # a uid without an account has no name of its own


@pytest.mark.parametrize("name", IMAGES)
def test_the_base_is_an_argument(name: str) -> None:
    first, *rest = instructions(name)
    assert first == ("ARG", "BASE=docker.io/library/debian:12-slim")
    assert {line.split()[0] for word, line in rest if word == "FROM"} == {"${BASE}"}


@pytest.mark.parametrize("name", IMAGES)
def test_what_it_copies_is_there_and_not_ignored(name: str) -> None:
    taken = (ROOT / ".dockerignore").read_text().splitlines()
    for word, line in instructions(name):
        if word == "COPY" and not line.startswith("--from"):
            for source in line.split()[:-1]:
                assert (ROOT / source).exists()
                assert f"!{source.partition('/')[0]}" in taken


@pytest.mark.parametrize("name", IMAGES)
def test_every_package_is_locked_as_the_tests_have_it(name: str) -> None:
    locked = pins((ROOT / f"requirements/{name}.txt").read_text())
    tested = pins((ROOT / "requirements/test.txt").read_text())
    assert IMAGES[name] <= set(locked)
    assert {each: locked[each] for each in locked if each in tested} == {
        each: tested[each] for each in locked if each in tested
    }
    (installs,) = (
        line for word, line in instructions(name) if word == "RUN" and "--require-hashes" in line
    )
    assert re.search(rf"-r requirements/{name}\.txt$", installs)
