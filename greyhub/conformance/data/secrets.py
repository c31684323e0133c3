"""DATA-020, 021: secrets that a catalogue must not show, variables that it must not read."""

from __future__ import annotations

import json
import os
import pickle
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import unquote

from greyhub.conformance.contract import MUST, clause
from greyhub.conformance.data.case import Catalog, DataCase
from greyhub.conformance.data.datasets import lines
from greyhub.conformance.testkit.log_capture import LogCapture, as_shown

LOG = ["one", "two"]


@clause("DATA-020", MUST, needs="credentials", hooks="publish damage", guards="secrets")
def no_secret_is_shown(case: DataCase) -> None:
    """A dataset's secret is in no repr, description, export, error, log or pickled catalogue.

    Neither where the catalogue refers to it, nor where it stands there in plain
    text. A dataset that has been opened takes its secret to the workers which read
    it: its own pickle may hold it, and its repr may not.

    Seen: intake 2.0.9: to_yaml_file() writes storage_options, credentials and all
    """
    written = f"plain-{case.suite.run_id}"
    case.publish(
        referred=lines("referred", LOG).but(**{"secret": "reference"}),
        written=lines("written", LOG, written=written).but(**{"secret": "plain"}),
    )
    hidden = {
        "the secret of the environment": case.suite.secret,
        "the one that stands there": written,
    }
    log = case.enter(LogCapture())
    catalog = case.catalog()
    for name in ("referred", "written"):
        case.same(catalog.read(name), LOG, name)
    shown = dict(_shown(catalog))
    shown["a line of the log"] = "\n".join(log.lines)
    for where, text in shown.items():
        for what, secret in hidden.items():
            if what.startswith("the one") and where == "the catalogue's pickle":
                continue  # whoever has the catalogue has its text
            case.require(secret not in text, f"{where} holds {what}")


SHOWING = ("_repr_html_", "_repr_markdown_", "_repr_mimebundle_")
"""By which a notebook shows what a cell comes to."""


def _shown(held: Catalog) -> Iterator[tuple[str, str]]:
    catalog, suite = held.catalog, held.suite
    yield "the catalogue's repr", repr(catalog)
    for method in SHOWING:
        yield f"{method}() of the catalogue", _answer(catalog, method)
    yield "the catalogue's pickle", repr(pickle.dumps(catalog)) if _pickles(catalog) else ""
    if held.case.claims("export"):
        yield "the export", str(suite.export(catalog))
    for name in ("referred", "written"):
        yield f"the description of {name}", json.dumps(held.describe(name), default=repr)
        dataset = held.open(name)
        yield f"the repr of {name}", f"{dataset!r} {dataset}"
        for method in (*SHOWING, "to_dict", "to_yaml", "describe", "yaml", "_yaml"):
            yield f"{method}() of {name}", _answer(dataset, method)
        for how in ("missing", "forbidden"):
            with held.case.damage(f"data/{name}-0.txt", how):
                try:
                    held.read(name)
                except Exception as error:
                    yield f"the error of {name}, {how}", as_shown(error)


def _pickles(value: Any) -> bool:
    try:
        pickle.dumps(value)
    except Exception:
        return False
    return True


def _answer(dataset: Any, method: str) -> str:
    try:
        return repr(getattr(dataset, method)())
    except Exception as error:
        return as_shown(error)


class _Ear(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """Hear what is asked for."""
        self.server.heard.append(unquote(f"{self.path} {self.headers}"))  # type: ignore[attr-defined]
        self.send_response(404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_HEAD = do_GET  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Say nothing."""


READING = (
    "{{ env({}) }}", "{{ env('{}') }}", "{{env({})}}", "{env({})}", "{ env({}) }", "env({})",
    "{{ client_env({}) }}", "{client_env({})}", "{{env(  \"{}\")}}", "${}", "${{}}",
)  # fmt: skip


@clause("DATA-021", MUST, needs="documents", hooks="write", guards="secrets")
def catalogues_read_no_environment(case: DataCase) -> None:
    """A catalogue reads no variable but those that are allowed, and the hub's tokens never.

    A dataset is at a server that hears what it is asked for, and tokens are asked
    for in its URL, its options, its metadata, and the defaults of parameters.

    Seen: intake 2.0.9: {env(JUPYTERHUB_API_TOKEN)} in a shared catalogue is filled in with the
      token of whoever opens it
    """
    server = HTTPServer(("127.0.0.1", 0), _Ear)
    server.heard = []  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    case.finally_(server.server_close)
    case.finally_(server.shutdown)
    url = f"http://127.0.0.1:{server.server_address[1]}"
    variables = {**case.suite.tokens, "CONFORMANCE_OTHER": f"other-{case.suite.run_id}"}
    os.environ["CONFORMANCE_OTHER"] = variables["CONFORMANCE_OTHER"]
    case.finally_(os.environ.pop, "CONFORMANCE_OTHER", None)
    for name, value in variables.items():
        entries = _reading(name, url)
        for body in ({"sources": entries}, _as_second(entries)):
            case.write(json.dumps(body))
            said = _said(case, list(entries))
            case.require(value not in said, f"a catalogue has read {name}, and shows it")
            heard = " ".join(server.heard)  # type: ignore[attr-defined]
            case.require(value not in heard, f"a catalogue has sent {name} to another server")


def _reading(variable: str, url: str) -> dict[str, Any]:
    entries: dict[str, Any] = {}
    for number, form in enumerate(READING):
        text = form.replace("{}", variable)
        entries[f"url{number}"] = {"driver": "csv", "args": {"urlpath": f"{url}/{text}/x.csv"}}
    text = f"{{{{ env({variable}) }}}}"
    plain = {"urlpath": f"{url}/y.csv"}
    entries["option"] = {
        "driver": "csv",
        "args": {**plain, "storage_options": {"headers": {"X-Leak": text}}},
    }
    entries["nested"] = {"driver": "yaml_file_cat", "args": {"path": f"{url}/{text}/c.yaml"}}
    entries["described"] = {"driver": "csv", "description": text, "args": plain}
    entries["metadata"] = {"driver": "csv", "metadata": {"note": text}, "args": plain}
    entries["default"] = {
        "driver": "csv",
        "args": {"urlpath": f"{url}/{{{{ p }}}}/x.csv"},
        "parameters": {"p": {"type": "str", "default": text, "description": ""}},
    }
    return entries


def _as_second(entries: dict[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = {"version": 2, "entries": {}, "data": {}}
    for name, entry in entries.items():
        args = dict(entry["args"])
        parameters = {key: each["default"] for key, each in entry.get("parameters", {}).items()}
        url = (
            str(args.pop("urlpath", None) or args.pop("path"))
            .replace("{{ p }}", "{p}")
            .replace("{{ ", "{")
            .replace(" }}", "}")
        )
        options = json.loads(json.dumps(args).replace("{{ ", "{").replace(" }}", "}"))
        body["data"][f"{name}-data"] = {
            "datatype": "intake.readers.datatypes:CSV",
            "kwargs": {"url": url, **options},
        }
        body["entries"][name] = {
            "reader": "intake.readers.readers:PandasCSV",
            "kwargs": {"data": f"{{data({name}-data)}}"},
            "metadata": entry.get("metadata", {}),
            "user_parameters": json.loads(
                json.dumps(parameters).replace("{{ ", "{").replace(" }}", "}")
            ),
        }
    return body


def _said(case: DataCase, names: list[str]) -> str:
    """All that a catalogue and its datasets show and raise."""
    said: list[str] = []

    def hear(call: Any) -> Any:
        try:
            answer = call()
        except Exception as error:
            said.append(as_shown(error))
            return None
        said.append(f"{answer!r} {answer}")
        return answer

    suite = case.suite
    catalog = hear(lambda: suite.make("ada"))
    if catalog is None:
        return " ".join(said)
    for name in names:
        hear(lambda n=name: suite.describe(catalog, n))
        dataset = hear(lambda n=name: suite.open(catalog, n))
        if dataset is not None:
            said.append(repr(getattr(dataset, "__dict__", "")))
            hear(lambda d=dataset: suite.read(d))
    return " ".join(said)
