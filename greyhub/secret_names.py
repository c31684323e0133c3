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
    "secret password passwords passwd passphrase passcode pincode pass passin passout "
    "pwd pw token tokens "
    "credential credentials cred creds authorization sas apikey apikeys psk "
    "passwort kennwort wachtwoord mdp passe senha"
)
_JOINED = re.compile(
    r"\w(password|passwords|passwd|passphrase|passwort|secret|token|apikey|accesskey|pwd)$|\w\wpw$"
    r"|^(db|sql|mysql|pg|postgres|redis|mongo|mq|smtp|mail|ftp|ldap|bind|root|admin|user|login|proxy|svc"
    r"|key|store|keystore|truststore|require|vnc|ssh|hub|app|api|web)pass$"
)

_OF_OTHERS = {
    "pass": word_set(
        "n num one two three multi single first second third last next final low high band all "
        "render forward backward boarding shader"
    ),
    "secret": word_set("existing tls pull"),
    "token": word_set("eos bos pad sep cls mask unk stop special fim"),
    "tokens": word_set(
        "eos bos pad sep cls mask unk stop special fim max min num n total count limit"
    )
    | word_set("per context"),
}
"""Words before a noun that make it something else: a language model's ``eos_token``."""

_PAIRS = {
    "string": word_set("connection conn"),
    "signature": word_set("access sas"),
    "secrets": word_set("client app oauth shared webhook signing"),
    "seed": word_set("otp totp hotp mfa"),
    "code": word_set("pin unlock recovery backup"),
    "codes": word_set("recovery backup"),
    "word": word_set("pass"),
    "pat": word_set("github gh gitlab git azure devops ado docker databricks snowflake airtable"),
    "phrase": word_set("pass seed secret recovery"),
}
"""Words that make a secret of the one before them."""

_KEYS = word_set(
    "api access account admin private secret shared signing sign encryption encrypt crypt master "
    "storage service subscription license ssh deploy hmac jwt cookie session sas auth rsa gpg "
    "read write root"
)
"""What makes a key a secret. A public, primary, sort, username or groups key is none."""

_AFTER = word_set(
    "value string text plain plaintext base b64 default old new current previous prod production "
    "staging dev test admin root user main primary secondary data pem der hex raw content contents "
    "encoded literal"
)
"""Words that may follow without changing what a name means: ``PASSWORD_PROD``."""

_WHOSE = _AFTER | word_set(
    "hub jupyter jupyterhub github gitlab bitbucket git slack discord telegram hf huggingface "
    "openai anthropic wandb npm pypi docker quay harbor aws azure gcp google s3 minio db database "
    "postgres postgresql mysql mariadb mongo mongodb redis rabbitmq kafka smtp mail imap "
    "ldap ad keycloak grafana prometheus sentry jira confluence sonar nexus "
    "artifactory databricks snowflake dask spark airflow mlflow bot ci api readonly"
)
_PREPOSITIONS = word_set("for of")
"""Whose a secret is, after the noun: ``TOKEN_GITHUB``, ``password_for_ada``."""

_NOT_SECRET = word_set(
    "public ssl tls username groups group user host authority state internal partition sort "
    "foreign claim cache"
)

_VERBS = word_set(
    "allow exclude enable disable require requires validate revoke use uses generate renew show "
    "hide has is with without no need needs check ask prompt forgot skip ignore support auto "
    "automount"
)

_ABOUT = word_set(
    "id ids name names url uri file path dir env type class issuer endpoint host arn ref reference "
    "version model revision commit build image tag etag digest fingerprint checksum algorithm "
    "provider providers backend manager store helper method policy mechanism"
)
"""What a secret has besides, and what may well look drawn by lot."""

_STORES_ONLY = frozenset({"key", "auth", "pkey"})


def words(name: str) -> list[str]:
    """The words of a name in small letters; ``clientSecret`` and ``CLIENT_SECRET`` are the same."""
    return [word.lower() for word in _WORD.findall(name[-200:])]


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
    if not said or said[0] in _VERBS or " secret keys " in f" {' '.join(said[:-1])} ":
        return False  # or, as charts have it, which key of a Secret
    return _is_secret(_without_ending(said), store)


def _without_ending(said: list[str]) -> list[str]:
    """The words up to the noun, where all that follows says whose it is, or which."""
    for place, word in enumerate(said[:-1], 1):
        after = said[place:]
        if word in _NOUNS or _JOINED.search(word):
            of_someone = after[0] in _PREPOSITIONS and after[-1] not in _ABOUT
            if of_someone or _WHOSE.issuperset(after):
                return said[:place]
    while len(said) > 1 and said[-1] in _AFTER and not _is_secret(said, False):
        said = said[:-1]
    return said


def _is_secret(said: list[str], store: bool) -> bool:
    *before, last = said
    if last in ("key", "keys"):
        if not before:
            return store or last == "keys"  # as CryptKeeper names its own
        return before[-1] in _KEYS or bool(_JOINED.search(before[-1]))
    if last in _PAIRS:
        return before[-1:] != [] and before[-1] in _PAIRS[last]
    if _OF_OTHERS.get(last, frozenset()) & set(before):
        return False
    if store and last in _STORES_ONLY:
        return True
    return last in _NOUNS or bool(_JOINED.search(last))


def is_about_a_secret(said: list[str]) -> bool:
    """Whether a name, as its words, may be a secret's that is called by something else."""
    if not said or said[-1] in _ABOUT or said[0] in _VERBS:
        return False
    weak = _NOUNS | {"signature", "cookie", "salt"}
    nouns = [each for each in said if each in weak or _JOINED.search(each)]
    keys = said[-1:] in (["key"], ["keys"]) and not _NOT_SECRET & set(said)
    return bool(nouns) or (keys and len(said) > 1)
