"""A server's token goes to the hub alone, whatever the hub or the environment says."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from greyhub.hub_api import NoAnswer, ask


@contextmanager
def serving(status: int, body: object, **headers: str) -> Iterator[tuple[str, list[str]]]:
    """A server that always answers so: its URL, and the tokens that it was sent."""
    seen: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.headers.get("Authorization", ""))
            content = json.dumps(body).encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", seen
        finally:
            server.shutdown()


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "of-ada")


def test_it_asks_the_hub_by_the_servers_token(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(200, {"a": 1}, ETag='"x"') as (url, seen):
        monkeypatch.setenv("JUPYTERHUB_API_URL", f"{url}/hub/api/")
        assert ask("some/thing", 10) == (200, {"a": 1}, '"x"')
        assert seen == ["token of-ada"]


def test_a_refusal_is_what_the_hub_says(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(403, {"message": "not you"}) as (url, _):
        monkeypatch.setenv("JUPYTERHUB_API_URL", url)
        assert ask("a", 10) == (403, "not you", "")
    with pytest.raises(NoAnswer):
        ask("a", 10)


def test_the_token_follows_no_redirect(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(200, {}) as (other, seen), serving(302, {}, Location=other) as (url, _):
        monkeypatch.setenv("JUPYTERHUB_API_URL", url)
        assert ask("a", 10).status == 302
        assert seen == []


def test_the_token_goes_through_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(200, {}) as (proxy, seen), serving(200, {}) as (url, asked):
        monkeypatch.setenv("JUPYTERHUB_API_URL", url)
        for name in ("http_proxy", "all_proxy"):
            monkeypatch.setenv(name, proxy)
        monkeypatch.delenv("no_proxy", raising=False)
        ask("a", 10)
        assert (len(asked), seen) == (1, [])
