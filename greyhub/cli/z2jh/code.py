"""``hub.extraConfig``: Python code, which is taken over as it is and in its order."""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any, Final

from greyhub.cli.z2jh.moving import Group, Moving, Outcome, Rule, left, moved, not_needed, unneeded
from greyhub.cli.z2jh.text import comment, python
from greyhub.secret_texts import hidden, is_secret_text

OURS: Final = {
    "c.JupyterHub.spawner_class": "servers are c.GreyHub.spawner's: set the class there",
    "c.JupyterHub.authenticator_class": "logins are c.GreyHub.auth's: set the class there",
    "c.JupyterHub.proxy_class": "the chart has the proxy in a pod of its own",
    "c.Spawner.cmd": "servers are started by greyhub-singleuser",
    "c.KubeSpawner.cmd": "servers are started by greyhub-singleuser",
    "c.KubeSpawner.pvc_name_template": "homes are c.KubernetesHomespace's",
    "c.KubeSpawner.storage_pvc_ensure": "homes are c.KubernetesHomespace's",
    "c.KubeSpawner.volumes": "it was set above; the home is added to it",
    "c.KubeSpawner.volume_mounts": "it was set above; the home is added to it",
    "c.KubeSpawner.environment": "it was set above",
    "c.KubeSpawner.profile_list": "profiles may be set above, too",
    "c.JupyterHub.services": "it replaces those above",
    "c.JupyterHub.load_roles": "it replaces those above",
    "c.JupyterHub.hub_connect_url": "the chart says it",
    "c.JupyterHub.hub_bind_url": "the chart says it",
}
"""What greyhub sets itself, or the lines above the code."""

ASKS: Final = ("get_config", "set_config_if_not_none", "get_name", "get_secret_value")

PRELUDE: Final = (
    ("re", "import re"),
    ("glob", "import glob"),
    ("client", "from kubernetes_asyncio import client"),
    ("url_path_join", "from jupyterhub.utils import url_path_join"),
    ("AsyncHTTPClient", "from tornado.httpclient import AsyncHTTPClient"),
)
"""What z2jh's own config file has imported before the code runs."""

SHIM: Final = '''\
def _of_z2jh(key, default=None):
    """One of z2jh's values, as its get_config has it."""
    found = Z2JH
    for level in key.split("."):
        if not isinstance(found, dict) or level not in found:
            return default
        found = found[level]
    return found


def _set_if_not_none(section, name, key):
    if (found := _of_z2jh(key)) is not None:
        setattr(section, name, found)


get_config, set_config_if_not_none = _of_z2jh, _set_if_not_none
sys.modules["z2jh"] = types.ModuleType("z2jh")
sys.modules["z2jh"].__dict__.update(
    get_config=get_config, set_config_if_not_none=set_config_if_not_none
)'''


def _block(moving: Moving, path: str, value: Any) -> Outcome:
    if not isinstance(value, str):
        return left("it is no code: write it as a text")
    try:
        tree = ast.parse(value)
    except SyntaxError as error:
        return left(f"it is no Python, line {error.lineno}: write it anew")
    code, problem = _without_secrets(moving, path, value, tree)
    if problem:
        return left(problem)
    review = list(_review(tree))
    moving.code.append((path, code, review))
    moving.asked |= _asked(tree)
    return moved("the end of the config file", "; ".join(review))


def _finish(moving: Moving) -> None:
    """The blocks in z2jh's order, that of their names."""
    if not moving.code:
        return
    text = "\n".join(code for _, code, _ in moving.code)
    if "POD_NAMESPACE" in text:
        source = {"fieldRef": {"fieldPath": "metadata.namespace"}}
        moving.variables.append({"name": "POD_NAMESPACE", "valueFrom": source})
    names = {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}
    moving.write(*(line for name, line in PRELUDE if name in names))
    if moving.asked or "z2jh" in text:
        moving.write(*_values(moving))
    for path, code, review in sorted(moving.code):
        moving.write("", f"# {path}")
        moving.write(*(line for each in review for line in comment(f"review: {each}")))
        moving.write(*code.strip("\n").splitlines())


def _values(moving: Moving) -> Iterator[str]:
    """The values for which the code asks, and the functions by which it does."""
    wanted: dict[str, Any] = {}
    for key in sorted(moving.asked):
        found = moving.get(key)
        if found is None:
            continue
        into, (*above, last) = wanted, key.split(".")
        for level in above:
            into = into.setdefault(level, {})
            if not isinstance(into, dict):
                break
        else:
            into.setdefault(last, moving.secrets.without(key, found, last))
    yield "import types"
    yield ""
    yield f"Z2JH = {python(wanted, used=7)}"
    yield ""
    yield ""
    yield from SHIM.splitlines()


def _asked(tree: ast.AST) -> set[str]:
    """The values for which code asks z2jh by a text."""
    return {
        argument.value
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and _name(call.func).rpartition(".")[2] in ASKS[:2]
        for argument in call.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    }


def _review(tree: ast.Module) -> Iterator[str]:
    """What somebody must look at."""
    found: dict[str, None] = {}
    for node in ast.walk(tree):
        for target in _targets(node):
            if target in OURS:
                found[f"{target}: {OURS[target]}"] = None
        if isinstance(node, ast.Call):
            name = _name(node.func).rpartition(".")[2]
            if name in ASKS[2:]:
                found[f"{name}: it asks for what z2jh's chart has made"] = None
            elif name == "get_config" and node.args and not isinstance(node.args[0], ast.Constant):
                found["get_config: it is not known for what it asks"] = None
        if isinstance(node, ast.Subscript) and _name(node.value) in ("os.environ", "environ"):
            found[f"it needs the variable {_last(node.slice)}, also for greyhub check"] = None
        for module in _modules(node):
            if module not in ("z2jh", *sys.stdlib_module_names) and not _installed(module):
                found[f"the hub's image may have no {module}"] = None
    yield from found


def _targets(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Assign):
        yield from map(_name, node.targets)
    elif isinstance(node, ast.AugAssign | ast.AnnAssign):
        yield _name(node.target)


def _modules(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        for each in node.names:
            yield each.name.partition(".")[0]
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        yield node.module.partition(".")[0]


def _installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def _name(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_name(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def _without_secrets(moving: Moving, path: str, code: str, tree: ast.Module) -> tuple[str, str]:
    """The code with a variable in place of each secret in it, or why it cannot be written."""
    places = [(node, name) for name, node in _texts(tree) if is_secret_text(name, node.value)]
    lines = [line.encode() for line in code.splitlines(keepends=True)]
    for node, name in sorted(places, key=lambda each: (each[0].lineno, each[0].col_offset))[::-1]:
        if node.end_lineno != node.lineno:
            return "", f"a secret is in it, line {node.lineno}: take it out, and again"
        variable = moving.secrets.keep(f"{path}.{name or node.lineno}", node.value)
        line = lines[node.lineno - 1]
        new = f'os.environ.get("{variable}", "")'.encode()
        lines[node.lineno - 1] = line[: node.col_offset] + new + line[node.end_col_offset :]
    text = b"".join(lines).decode()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        said = re.sub(r"\{[^{}]*\}", "{x}", token.string)  # what an f-string fills in
        if token.type in (tokenize.STRING, tokenize.COMMENT) and hidden(said) != said:
            where = f"line {token.start[0]}"
            return "", f"what looks like a secret is in it, {where}: take it out, and again"
    return text, ""


def _texts(tree: ast.AST) -> Iterator[tuple[str, Any]]:
    """The texts of code, each with the name under which it stands."""
    for node in ast.walk(tree):
        pairs: list[tuple[str, ast.AST | None]] = []
        if isinstance(node, ast.Assign):
            pairs = [(_last(target), node.value) for target in node.targets]
        elif isinstance(node, ast.keyword):
            pairs = [(node.arg or "", node.value)]
        elif isinstance(node, ast.Dict):
            pairs = [(_last(key), of) for key, of in zip(node.keys, node.values, strict=True)]
        for name, found in pairs:
            parts = found.elts if isinstance(found, ast.List | ast.Tuple | ast.Set) else [found]
            for part in parts:
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    yield name, part


def _last(node: ast.AST | None) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Subscript):
        return _last(node.slice)
    if isinstance(node, ast.Constant):
        return str(node.value)
    return node.id if isinstance(node, ast.Name) else ""


def _custom(moving: Moving, path: str, value: Any) -> Outcome:
    text = str(moving.get("hub.extraConfig", ""))
    if path in text or f"custom.{path.split('.')[1]}" in text:
        return moved("Z2JH, which the code of hub.extraConfig asks")
    return unneeded("no code of hub.extraConfig asks for it")


GROUP: Final = Group(
    "Code",
    {
        "hub.extraConfig": Rule(_block),
        "hub.extraConfig.*": Rule(_block),
        "hub.extraConfigMap": not_needed("z2jh does not read it any more: see custom"),
        "custom.*": Rule(_custom, empty=True),
        "custom": not_needed("it is empty"),
    },
    finish=_finish,
)
