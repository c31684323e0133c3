"""The options of spawners whose servers run on remote machines."""

from __future__ import annotations

from pathlib import Path

import pytest
from traitlets import TraitError

from greyhub.rendezvous.spawning import RemoteSpawner


@pytest.mark.parametrize("network", ["10.1.0.1/16", "all", "10.1", ""])
def test_what_is_no_network_is_refused_where_it_is_written(network: str) -> None:
    with pytest.raises(TraitError, match="fix: write networks as"):
        RemoteSpawner(server_networks=["fd00::/8", network])


async def test_certificates_are_sent_with_the_environment(tmp_path: Path) -> None:
    (tmp_path / "user-ada.key").write_text("a key")
    spawner = RemoteSpawner(agent_directory="/agent")
    moved = await spawner.move_certs({"keyfile": str(tmp_path / "user-ada.key")})
    assert moved == {"keyfile": "/agent/files/keyfile.pem"}
    assert spawner._files == {"keyfile.pem": "a key"}


def test_nothing_of_the_hubs_environment_is_sent_and_a_tunnel_ends_at_loopback() -> None:
    assert RemoteSpawner().env_keep == []
    assert RemoteSpawner(access="tunnel").ip == "127.0.0.1"
    assert RemoteSpawner().ip == "0.0.0.0"
