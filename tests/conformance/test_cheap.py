"""What is imported later is what it would have been."""

import subprocess
import sys

import pytest

IRIS = """
import sys
import greyhub.conformance.testkit.hub_app
assert "lark" not in sys.modules, "the parsers are made before anybody asks"
from jsonschema import FormatChecker
checker = FormatChecker()
assert checker.conforms("http://grüße.example/", "iri")
assert not checker.conforms("no iri", "iri")
"""


def test_iris_are_checked_though_their_parsers_are_made_later():
    pytest.importorskip("rfc3987_syntax")
    done = subprocess.run([sys.executable, "-c", IRIS], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
