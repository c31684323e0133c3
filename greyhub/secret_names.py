"""Which names of a configuration hold a secret.

A name is read as words: ``TOKENIZERS_PARALLELISM`` holds no token, and what
ends in another noun, such as ``token_url``, says something about a secret and
is none. Nothing but the standard library is needed here: users' servers ask, too.
"""

from __future__ import annotations

import re

STORE_OPTIONS = frozenset({"storage_options", "client_kwargs", "target_options", "remote_options"})
"""Options that are handed to a store. Only there are a lone ``key`` and ``auth`` secrets."""


def word_set(text: str) -> frozenset[str]:
    """The words of a text, which spaces part."""
    return frozenset(text.split())


_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+")

_NOUNS = word_set(
    "secret password passwords passwd passphrase pass pwd token tokens credential credentials "
    "cred creds authorization signature sas apikey apikeys"
)
_JOINED = re.compile(r"\w(password|passwords|passwd|passphrase|secret|token|apikey|accesskey)$")

_KEYS = word_set(
    "api access account admin private secret shared signing sign encryption encrypt crypt master "
    "storage service subscription license ssh deploy hmac jwt cookie session sas auth rsa gpg "
    "read write root"
)
"""What makes a key a secret. A public, primary, sort, username or groups key is none."""

_AFTER = word_set(
    "value string text plain plaintext base b64 default old new current previous prod production "
    "staging dev test admin root user main primary secondary"
)
"""Words that may follow without changing what a name means: ``PASSWORD_PROD``."""

_NOT_SECRET = word_set(
    "public ssl tls username groups group user host authority state internal partition sort "
    "foreign claim cache"
)

_COUNTS = word_set("max min num n total count limit per context")

_VERBS = word_set(
    "allow exclude enable disable require requires validate revoke use uses generate renew show "
    "hide has is with without no need needs check ask prompt forgot skip ignore support auto "
    "automount"
)

_ABOUT = word_set("id name names url uri file path dir env type class issuer endpoint host")
"""What a secret has besides, and what may well look drawn by lot."""

_STORES_ONLY = frozenset({"key", "auth", "pkey"})


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


def is_about_a_secret(said: list[str]) -> bool:
    """Whether a name, as its words, may be a secret's that is called by something else."""
    if not said or said[-1] in _ABOUT or said[0] in _VERBS:
        return False
    nouns = [each for each in said if each in _NOUNS or _JOINED.search(each)]
    keys = said[-1:] in (["key"], ["keys"]) and not _NOT_SECRET & set(said)
    return bool(nouns) or (keys and len(said) > 1)
