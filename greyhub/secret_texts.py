"""Which texts of a configuration are secrets, or have one in them."""

from __future__ import annotations

import itertools
import re

from greyhub.secret_names import is_about_a_secret, is_secret, words

_NO_SECRET = re.compile(
    r"""(?xi) \s* | true | false | yes | no | on | off | none | null | auto | default
    | anon | anonymous | cloud | google_default | browser | cache   # what gcsfs takes as a token
    | (?:(?:bearer|basic|token)\s+)?
      (?: \$\w+ | \$\{[^}]*\} | \$\([^)]*\) | \{\{?[^{}]*\}?\} | %\(\w+\)s | <[\w .-]+> | \*+ )
    """
)
"""Texts that are no secret under any name: switches, and places for a secret to be put in."""

_PATH = re.compile(
    r"(?:file://)?(?:~|\.{1,2})?(?:/[\w.@{}-]+)*/[\w@{}-]+(?:\.\w+|/[\w.@{}-]+)"
    r"|[\w-]+(?:/[\w.@{}-]+)*\.(?:pem|key|crt|json|ya?ml|txt|p12|pfx|jks)"
)
_URL_PASSWORD = re.compile(r"(?<=://)([^/@:\s]*):([^/@\s]+)@")
_ARGUMENT = re.compile(r"([A-Za-z][\w.-]*)(['\"]?\s*[=:]\s*)(['\"]?)([^\s,;&'\"]+)")
_MIXED = re.compile(r"(?=.*\d)(?=.*[A-Za-z])\S{6,}")
_TOKEN = re.compile(
    r"""(?x) \b (?:
      gh[oprsu]_\w{30,} | github_pat_\w{30,} | glpat-[\w-]{20,}
    | xox[a-z]-[\w-]{20,} | hooks\.slack\.com/services/[\w/]{20,}
    | hf_[A-Za-z]{30,} | sk-[\w-]{20,} | AIza[\w-]{35} | npm_\w{36} | pypi-[\w-]{50,}
    | eyJ[\w-]{10,}\.eyJ[\w-]+\.[\w-]+   # a JSON web token
    )"""
)
"""Tokens that say themselves what they are, by how their issuers write them."""
_AUTHORIZATION = re.compile(r"(?i)\b(bearer|basic)(\s+)([\w.~+/=-]{8,})")
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY")
_IN_URL = frozenset({"sig"})


def is_secret_text(name: str, text: str, *, store: bool = False) -> bool:
    """Whether a text that stands under a name is a secret itself.

    A switch, a place for a secret to be put in, the path of a file and the
    number of something are none.
    """
    if _NO_SECRET.fullmatch(text) or _PATH.fullmatch(text):
        return False
    said = words(name)
    if not is_secret(name, store=store):
        return is_about_a_secret(said) and _random(text)
    if text.isdigit() and said[-1] in ("token", "tokens", "key", "keys"):
        return len(text) > 9
    return True


def holds_secret(name: str, text: str, *, store: bool = False) -> bool:
    """Whether a text is a secret or has one in it: a URL's password, an argument's value."""
    return is_secret_text(name, text, store=store) or hidden(text) != text


def hidden(text: str, mask: str = "***") -> str:
    """A text of any kind, with the secrets that can be told from the text itself masked."""
    if _PRIVATE_KEY.search(text):
        return mask

    def credentials(found: re.Match[str]) -> str:
        mixed = _MIXED.fullmatch(found[3])
        return f"{found[1]}{found[2]}{mask}" if mixed else found[0]

    def password(found: re.Match[str]) -> str:
        open_text = _NO_SECRET.fullmatch(found[2])
        return found[0] if open_text else f"{found[1]}:{mask}@"

    def argument(found: re.Match[str]) -> str:
        name, sign, quote, value = found.groups()
        secret = is_secret_text(name, value) or (name in _IN_URL and sign == "=")
        quoted = sign.startswith(("'", '"'))  # JSON
        if sign.strip() != sign and not quoted and not _MIXED.fullmatch(value):
            return found[0]  # prose, as in "the password: that of the university"
        return f"{name}{sign}{quote}{mask}" if secret else found[0]

    text = _AUTHORIZATION.sub(credentials, _TOKEN.sub(mask, text))
    return _ARGUMENT.sub(argument, _URL_PASSWORD.sub(password, text))


def _random(text: str) -> bool:
    """Whether a text looks drawn by lot: long, of one piece, letters and digits mixed."""
    if len(text) < 16 or not re.fullmatch(r"[\w+/=.-]+", text):
        return False
    if re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", text):
        return False  # an identifier
    kinds = ["d" if each.isdigit() else "l" for each in text if each.isalnum()]
    return sum(one != other for one, other in itertools.pairwise(kinds)) >= 5
