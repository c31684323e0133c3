"""Check the accounts, groups and PAM services of this machine that a login asks for."""

from __future__ import annotations

import grp
import pwd
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from greyhub.adapter import Finding
from greyhub.checks.platform import Platform
from greyhub.class_names import made_from

PAM = (Path("/etc/pam.d"), Path("/usr/lib/pam.d"), Path("/usr/etc/pam.d"))
"""Where services of PAM are described."""


def check(platform: Platform) -> Iterator[Finding]:
    """Findings about what this machine does not know."""
    if not made_from(platform.authenticator, "LocalAuthenticator"):
        return
    if (path := platform.is_set("PAMAuthenticator", "service")) and PAM[0].is_dir():
        service = str(platform.value("PAMAuthenticator", "service"))
        if not any((directory / service).exists() for directory in PAM):
            yield platform.finding(
                "error",
                path,
                f"PAM has no service {service!r} here: nobody could log in",
                f"write {PAM[0] / service}, or leave the line out for 'login'",
            )
    for section, option in (
        ("LocalAuthenticator", "allowed_groups"),
        ("PAMAuthenticator", "admin_groups"),
    ):
        if path := platform.is_set(section, option):
            for name in sorted(map(str, platform.value(section, option) or ())):
                if not name.startswith("%") and not _known(grp.getgrnam, name):
                    yield platform.finding(
                        "warning",
                        path,
                        f"this machine has no group {name!r}",
                        f"groupadd {name}, or take it out",
                    )
    if platform.value("LocalAuthenticator", "create_system_users"):
        return
    for option in ("allowed_users", "admin_users"):
        if path := platform.is_set("Authenticator", option):
            for name in sorted(map(str, platform.value("Authenticator", option) or ())):
                if not _known(pwd.getpwnam, name):
                    yield platform.finding(
                        "note",
                        path,
                        f"this machine has no account {name!r}, who could not log in",
                        f"useradd --create-home {name}, or take the name out",
                    )


def _known(ask: Callable[[str], Any], name: str) -> bool:
    try:
        ask(name)
    except (KeyError, ValueError, OSError) as error:
        return not isinstance(error, KeyError)
    return True
