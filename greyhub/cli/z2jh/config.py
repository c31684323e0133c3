"""``hub.config``: JupyterHub's own options, and who logs in how."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Any, Final

from greyhub.cli.z2jh.moving import Group, Moving, Outcome, Rule, left, moved, unneeded

PACKAGES: Final = {
    "ldapauthenticator": "jupyterhub-ldapauthenticator",
    "ltiauthenticator": "jupyterhub-ltiauthenticator",
    "nativeauthenticator": "jupyterhub-nativeauthenticator",
    "firstuseauthenticator": "jupyterhub-firstuseauthenticator",
    "tmpauthenticator": "jupyterhub-tmpauthenticator",
    "oauthenticator": "oauthenticator",
}
"""Where z2jh's image of the hub has an authenticator from, by its module."""

SHORT: Final = {
    "ldap": "ldapauthenticator.LDAPAuthenticator",
    "lti": "ltiauthenticator.LTIAuthenticator",
    "lti11": "ltiauthenticator.lti11.auth.LTI11Authenticator",
    "lti13": "ltiauthenticator.lti13.auth.LTI13Authenticator",
    "native": "nativeauthenticator.NativeAuthenticator",
    "nativeauthenticator": "nativeauthenticator.NativeAuthenticator",
    "firstuse": "firstuseauthenticator.FirstUseAuthenticator",
    "tmp": "tmpauthenticator.TmpAuthenticator",
}
"""Names that these packages give themselves among JupyterHub's entry points."""

HERE: Final = {
    "spawner_class": "servers are c.GreyHub.spawner's: for a class of your own, set it there",
    "services": "z2jh does not read it: write hub.services",
    "load_roles": "it would replace z2jh's own roles: write hub.loadRoles",
}
"""Options of JupyterHub that stand elsewhere here, and what to do about them."""

KEY: Final = "JUPYTERHUB_CRYPT_KEY"

PRESET: Final = (
    "hub_ip",
    "hub_port",
    "hub_bind_url",
    "hub_connect_ip",
    "hub_connect_url",
    "bind_url",
    "ip",
    "port",
    "proxy_class",
    "cleanup_servers",
    "cleanup_proxy",
    "cookie_secret_file",
)
"""Options that are the chart's to say."""

CLAIMS: Final = (
    "storage_pvc_ensure",
    "pvc_name_template",
    "storage_capacity",
    "storage_class",
    "storage_access_modes",
    "storage_extra_labels",
    "delete_pvc",
    "volumes",
    "volume_mounts",
)
"""Options of KubeSpawner that are about homes."""


def _authenticator(moving: Moving, path: str, value: Any) -> Outcome:
    if not moving.given(path):
        # Nothing, or code, or z2jh before 1.0 says it: to let anybody in must be somebody's word.
        moving.write('# c.GreyHub.auth = "dummy"  # z2jh\'s default: anybody, as anybody')
        return Outcome(
            "left",
            "choose c.GreyHub.auth: the values name no authenticator_class, and z2jh's default "
            "lets anybody in as anybody",
            "nobody says who logs in: choose c.GreyHub.auth",
        )
    moving.option(path, "GreyHub.auth", value)
    said = f"c.GreyHub.auth = {value!r}: the same class, and so the same names"
    named = {each.name for each in entry_points(group="jupyterhub.authenticators")}
    module = SHORT.get(str(value), str(value)).partition(".")[0]
    if value == "dummy":
        return moved(said, _dummy(moving))
    if str(value) in named or module == "oauthenticator":
        return moved(said)
    package = PACKAGES.get(module, module)
    return moved(said, f"the image of the hub has no {package}: add it to images/hub")


def _dummy(moving: Moving) -> str:
    """Who gets in, and what must be said before the hub starts with that."""
    sections = ("Authenticator", "DummyAuthenticator")
    if moving.get("hub.config.DummyAuthenticator.password"):
        who, risk = "whoever knows the one password", "shared-password"
    elif any(moving.get(f"hub.config.{each}.allow_all") for each in sections):
        who, risk = "anybody", "everybody"
    else:
        return "anybody may log in as anybody"
    moving.write(f'# c.GreyHub.accepted_risks = ["{risk}"]')
    return (
        f"{who} may log in as anybody, and the hub does not start so: choose another "
        f"c.GreyHub.auth, or say that it is meant: c.GreyHub.accepted_risks = ['{risk}']"
    )


def _hub(moving: Moving, path: str, value: Any) -> Outcome:
    name = path.rpartition(".")[2]
    if name in HERE:
        return left(HERE[name])
    if name in PRESET:
        return left("the chart says it: leave it to the chart")
    if name in ("admin_access", "proxy_auth_token"):
        return unneeded(
            "admins have all rights by their role"
            if name == "admin_access"
            else "the chart makes the proxy's token"
        )
    moving.option(path, f"JupyterHub.{name}", value)
    return moved(f"c.JupyterHub.{name}")


def _cookie(moving: Moving, path: str, value: Any) -> Outcome:
    moving.secrets.keep(path, str(value), "JPY_COOKIE_SECRET")
    return moved("the hub's variable JPY_COOKIE_SECRET: logins go on")


def _keys(moving: Moving, path: str, value: Any) -> Outcome:
    keys = value if isinstance(value, list) else [value]
    moving.secrets.keep(path, ";".join(map(str, keys)), KEY)
    return moved(f"the hub's variable {KEY}")


def _spawner(moving: Moving, path: str, value: Any) -> Outcome:
    name = path.rpartition(".")[2]
    if name in CLAIMS:
        return left("homes are c.KubernetesHomespace's; write it as singleuser.storage, and again")
    if name in ("cmd", "pre_spawn_hook"):
        return left("servers are started by greyhub-singleuser: see singleuser.cmd")
    return _option(moving, path, value)


def _option(moving: Moving, path: str, value: Any) -> Outcome:
    _, _, section, name = path.split(".", 3)
    if not section[:1].isupper():
        return left("sections are names of classes, such as JupyterHub: it had no effect")
    if not name.isidentifier():
        return left("it is no name of an option")
    moving.option(path, f"{section}.{name}", value)
    if name == "enable_auth_state" and value and not moving.get("hub.config.CryptKeeper.keys"):
        moving.unknown[KEY] = "hub.config.CryptKeeper.keys"
    return moved(f"c.{section}.{name}")


GROUP: Final = Group(
    "JupyterHub's own options",
    {
        "hub.config.JupyterHub.authenticator_class": Rule(_authenticator),
        "hub.config.JupyterHub.cookie_secret": Rule(_cookie),
        "hub.config.JupyterHub.*": Rule(_hub),
        "hub.config.CryptKeeper.keys": Rule(_keys),
        "hub.config.CryptKeeper.*": Rule(_option, empty=True),
        "hub.config.KubeSpawner.*": Rule(_spawner, empty=True),
        "hub.config.Spawner.*": Rule(_spawner, empty=True),
        "hub.config.*.*": Rule(_option, empty=True),
    },
)
