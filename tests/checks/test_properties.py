"""No sequence of options makes ``check``, ``show`` or ``compose`` fail by itself."""

from __future__ import annotations

import string
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from greyhub.checks.effective import effective_options
from greyhub.cli.reading import read
from tests.checks.starting import forget, write

SECTIONS = """GreyHub JupyterHub Spawner LocalSpawner LocalCluster LocalHomespace LocalData
    Authenticator LocalPassword ConfigurableHTTPProxy CryptKeeper Nothing"""
OPTIONS = """port ip environment args cmd max_workers memory_limit root catalogs allowed_users
    admin_users services load_roles mem_limit keys accepts cluster data state_dir bind_url
    accepted_risks user_password pre_spawn_hook x"""

names, options = st.sampled_from(SECTIONS.split()), st.sampled_from(OPTIONS.split())
text = st.text(string.printable, max_size=9)
plain = st.none() | st.booleans() | st.integers() | st.floats() | text
values = st.recursive(
    plain,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(string.ascii_letters, max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)
lines = st.builds(
    lambda name, option, value: f"c.{name}.{option} = {value!r}", names, options, values
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
@given(st.lists(lines, max_size=5))
def test_whatever_is_set_there_is_an_answer(written: list[str]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        file = write(
            Path(directory), "inf, nan = float('inf'), float('nan')\n" + "\n".join(written)
        )
        reading = read(str(file))
        assert reading.composition is not None, [str(each) for each in reading.findings]
        assert not [each for each in reading.findings if "this line fails" in each.message]
        assert effective_options(reading.composition.platform, everything=True)
        forget()
