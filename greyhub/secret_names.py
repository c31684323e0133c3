"""Which names and texts of a configuration hold a secret.

A name is read as words: ``TOKENIZERS_PARALLELISM`` holds no token, and what
ends in another noun, such as ``token_url``, says something about a secret and
is none. Nothing but the standard library is needed here: users' servers ask, too.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from typing import Any

STORE_OPTIONS = frozenset({"storage_options", "client_kwargs", "target_options", "remote_options"})
"""Options that are handed to a store. Only there are a lone ``key`` and ``auth`` secrets."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+")
_NOUNS = _words(
    "secret password passwords passwd passphrase pass pwd token tokens credential credentials "
    "cred creds authorization signature sas apikey apikeys"
)
_JOINED = re.compile(r"\w(password|passwords|passwd|passphrase|secret|token|apikey|accesskey)$")
_KEYS = _words(
    "api access account admin private secret shared signing sign encryption encrypt crypt master "
    "storage service subscription license ssh deploy hmac jwt cookie session sas auth rsa gpg "
    "read write root"
)
"""What makes a key a secret. A public, primary, sort, username or groups key is none."""

_AFTER = _words(
    "value string text plain plaintext base b64 default old new current previous prod production "
    "staging dev test admin root user main primary secondary"
)
"""Words that may follow without changing what a name means: ``PASSWORD_PROD``."""

_NOT_SECRET = _words(
    "public ssl tls username groups group user host authority state internal partition sort "
    "foreign claim cache"
)
_COUNTS = _words("max min num n total count limit per context")
_VERBS = _words(
    "allow exclude enable disable require requires validate revoke use uses generate renew show "
    "hide has is with without no need needs check ask prompt forgot skip ignore support auto "
    "automount"
)
_ABOUT = _words("id name names url uri file path dir env type class issuer endpoint host")
"""What a secret has besides, and what may well look drawn by lot."""

_STORES_ONLY = frozenset({"key", "auth", "pkey"})

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
_ARGUMENT = re.compile(r"([A-Za-z][\w.-]*)(\s*[=:]\s*)(['\"]?)([^\s,;&'\"]+)")
_MIXED = re.compile(r"(?=.*\d)(?=.*[A-Za-z])\S{6,}")
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY")
_IN_URL = frozenset({"sig"})

_PLACES = _words(
    "env file path name secretname secretref secretkeyref configmapkeyref fieldref valuefrom "
    "secret_name secret_ref secret_key_ref config_map_key_ref field_ref value_from"
)
_WHERE = _PLACES | _words(
    "key items defaultmode default_mode optional mode audience expirationseconds expiration_seconds"
)
"""Keys of a mapping that says where a secret is, as greyhub and Kubernetes write it."""


def words(name: str) -> list[str]:
    """The words of a name in small letters; ``clientSecret`` and ``CLIENT_SECRET`` are the same."""
    return [word.lower() for word in _WORD.findall(name)]


def is_secret(name: str, *, store: bool = False) -> bool:
    """Whether an option, a key or a variable of this name holds a secret.

    Parameters
    ----------
    name : str
        The name, in any spelling of words.
    store : bool
        It is an option of a store, where ``key`` is half of a credential.
    """
    said = words(name)
    while len(said) > 1 and said[-1] in _AFTER and said[-2:] != ["connection", "string"]:
        said.pop()
    if not said or said[0] in _VERBS:
        return False
    *before, last = said
    if last in ("key", "keys"):
        if not before:
            return store or last == "keys"  # as CryptKeeper names its own
        return before[-1] in _KEYS or bool(_JOINED.search(before[-1]))
    if last == "string":
        return before[-1:] in (["connection"], ["conn"])
    if last == "tokens":
        return not _COUNTS & set(before)
    if store and last in _STORES_ONLY:
        return True
    return last in _NOUNS or bool(_JOINED.search(last))


def is_secret_text(name: str, text: str, *, store: bool = False) -> bool:
    """Whether a text that stands under a name is a secret itself.

    A switch, a place for a secret to be put in, the path of a file and the
    number of something are none.
    """
    if _NO_SECRET.fullmatch(text) or _PATH.fullmatch(text):
        return False
    said = words(name)
    if not is_secret(name, store=store):
        return _about_a_secret(said) and _random(text)
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

    def password(found: re.Match[str]) -> str:
        open_text = _NO_SECRET.fullmatch(found[2])
        return found[0] if open_text else f"{found[1]}:{mask}@"

    def argument(found: re.Match[str]) -> str:
        name, sign, quote, value = found.groups()
        secret = is_secret_text(name, value) or (name in _IN_URL and sign == "=")
        if sign.strip() != sign and not _MIXED.fullmatch(value):
            return found[0]  # prose, as in "the password: that of the university"
        return f"{name}{sign}{quote}{mask}" if secret else found[0]

    return _ARGUMENT.sub(argument, _URL_PASSWORD.sub(password, text))


def is_reference(value: Any) -> bool:
    """Whether a mapping says where a secret is, and does not hold it."""
    if not isinstance(value, Mapping) or not value:
        return False
    keys = {str(key).lower() for key in value}
    return keys <= _WHERE and bool(keys & _PLACES)


def named(values: Any) -> Iterator[tuple[str, Any]]:
    """Each value of a list, with the name that another element gives it.

    In ``["--token", "abc"]`` the second is named ``token``.
    """
    before = ""
    for each in values:
        yield before, each
        flag = isinstance(each, str) and each.startswith("-") and "=" not in each
        before = each.lstrip("-") if flag else ""


def named_value(value: Mapping[Any, Any]) -> str:
    """The name that a mapping gives its own ``value``, as Kubernetes writes a variable."""
    name = value.get("name")
    return name if isinstance(name, str) and "value" in value else ""


def _about_a_secret(said: list[str]) -> bool:
    if not said or said[-1] in _ABOUT or said[0] in _VERBS:
        return False
    nouns = [each for each in said if each in _NOUNS or _JOINED.search(each)]
    keys = said[-1:] in (["key"], ["keys"]) and not _NOT_SECRET & set(said)
    return bool(nouns) or (keys and len(said) > 1)


def _random(text: str) -> bool:
    """Whether a text looks drawn by lot: long, of one piece, letters and digits mixed."""
    if len(text) < 16 or not re.fullmatch(r"[\w+/=.-]+", text):
        return False
    if re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", text):
        return False  # an identifier
    kinds = ["d" if each.isdigit() else "l" for each in text if each.isalnum()]
    return sum(one != other for one, other in itertools.pairwise(kinds)) >= 5
