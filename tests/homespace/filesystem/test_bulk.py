"""Copying many files: fsspec's own suite, but for the patterns that a home takes as names."""

from __future__ import annotations

import posixpath
from collections.abc import Callable

import pytest
from fsspec.implementations.local import LocalFileSystem
from fsspec.tests import abstract

from greyhub.homespace.filesystem import Home
from tests.homespace.filesystem.places import Place


class Fixtures(abstract.AbstractFixtures):
    """What fsspec's suite asks for."""

    @pytest.fixture(params=["local", "memory"])
    def fs(self, request: pytest.FixtureRequest, place_of: Callable[[str], Place]) -> Home:
        return place_of(request.param).home()

    @pytest.fixture
    def fs_path(self) -> str:
        return "top"

    @pytest.fixture
    def fs_join(self) -> Callable[..., str]:
        return posixpath.join

    @pytest.fixture
    def local_fs(self) -> LocalFileSystem:
        return LocalFileSystem(auto_mkdir=True)

    @pytest.fixture
    def supports_empty_directories(self, fs: Home) -> bool:
        return True


class TestCopy(abstract.AbstractCopyTests, Fixtures):
    test_copy_glob_to_existing_directory = None
    test_copy_glob_to_new_directory = None
    test_copy_glob_edge_cases = None
    test_copy_directory_without_files_with_same_name_prefix = None


class TestGet(abstract.AbstractGetTests, Fixtures):
    test_get_glob_to_existing_directory = None
    test_get_glob_to_new_directory = None
    test_get_glob_edge_cases = None
    test_get_directory_without_files_with_same_name_prefix = None


class TestPut(abstract.AbstractPutTests, Fixtures):
    test_put_glob_to_existing_directory = None
    test_put_glob_to_new_directory = None
    test_put_glob_edge_cases = None
    test_put_directory_without_files_with_same_name_prefix = None


class TestOpenAndPipe(abstract.AbstractOpenTests, abstract.AbstractPipeTests, Fixtures):
    pass
