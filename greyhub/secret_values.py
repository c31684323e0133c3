"""What a text looks like: a place for a secret, a reference to one, public, or drawn by lot."""

from __future__ import annotations

import itertools
import re
from base64 import b64decode

from greyhub.secret_names import is_secret

_SWITCH = re.compile(
    r"""(?xi) true | false | yes | no | on | off | none | null | nil | auto | default
    | enabled | disabled
    | required | optional | ask | prompt | hidden | unset | empty
    | redacted | removed | masked | todo
    | anon | anonymous | cloud | google_default | browser | cache   # what gcsfs takes as a token
    """
)

_FILLED_IN = re.compile(
    r"""(?x) \$\w+ (?:\{[^{}]*\})? | \$\{[^{}]*\} | \$\{\{[^{}]*\}\}
    | \$\( (?:[^()]|\([^()]*\))* \) | ` [^`]* ` | \{\{[^{}]*\}\} | \{[\w.:!()-]*\}
    | %\(\w+\)s | %\w+% | \#\{[^{}]*\}\#? | @[A-Z_]+@ | __[A-Z_]+__ | <%[^%]*%>
    | \( (?: \\?[\w.] | \[[^\]]*\] ) [+*]\?? \)""",
    re.DOTALL,
)
"""What a shell, a template or a pipeline puts something else in place of."""

_PLACEHOLDER = re.compile(
    r"""(?xi) <[^<>]*> | \[[^\[\]]*\] | [*.\u2022\u2026#_-]+ | x{3,} | %[srd]
    | (?:your|insert|enter|paste|replace|redacted)(?:[-_ ].*)?
    | (?:replace|fill)[-_]?(?:me|in)
    """
)

_REFERENCE = re.compile(
    r"""(?xi)
      (?: vault | op | sm | ssm | gsm | gcpsm | gcpsecret | awssm | awsssm | secretsmanager | aws-sm
        | akv
        | azurekv | azkv | keyvault | keychain | keyring | env | file | secrets? | secretref | k8s
        | conjur | doppler | infisical | bws? | bitwarden | lastpass | lpass
        | 1password | onepassword
        | hashivault | ref\+\w+ | transit | awskms | gcpkms | azurekms | kms | pkcs11 | consul
        | cmd | exec | sops | resolve ) : (?![^@]*@[^:]*:) \S+
    | arn:[\w-]+:[\w-]+:.* | urn:\S+
    | (?://[\w.-]+/)? (?:projects|organizations|folders)/[^/\s]+
        /(?:secrets|locations|serviceAccounts)/\S+
    | /subscriptions/\S+ | alias/[\w/-]+
    | https://[\w.-]+\.(?:vault|managedhsm)\.(?:azure|usgovcloudapi|microsoftazure)\.\w+(?:/.*)?
    | (?:secret|kv|cubbyhole)/[\w./-]+(?:\#[\w.-]+)? | (?-i:[a-z]+(?:/[a-z_-]+)+\#[a-z_-]+)
    | @Microsoft\.KeyVault\(.*\) | ENC\[.*\] | \$ANSIBLE_VAULT;.* | !vault\b.*
    """,
    re.DOTALL,
)
"""Where a secret is, in the words of vaults, clouds and those that encrypt."""

_PUBLIC = re.compile(
    r"""(?x) (?:ssh-(?:rsa|dss|ed25519) | ecdsa-sha2-\S+ | sk-\S+@openssh\.com)\ +AAAA.*
    | -----BEGIN\ (?:[A-Z0-9 ]*PUBLIC\ KEY|CERTIFICATE|X509\ CRL|SSH\ SIGNATURE).*
    | (?:SHA256|sha256|sha512|sha1):[\w+/=]{16,}
    | MD5:[0-9a-f:]{47} | age1[0-9a-z]{50,} | did:\S+""",
    re.DOTALL,
)

_FINGERPRINT = re.compile(
    r"(?:0x)?(?:[0-9A-F]{8}|[0-9A-F]{16}|(?:[0-9A-F]{4} *){10})", re.IGNORECASE
)

_PATH = re.compile(
    r"(?:file://)?(?:~|\.{1,2})?(?:/[\w.@{}-]+)*/[\w@{}-]+(?:\.\w+|/[\w.@{}-]+)"
    r"|/[a-z]+/?|[\w-]+(?:/[\w.@{}-]+)*\.(?:pem|key|crt|json|ya?ml|txt|p12|pfx|jks)"
)

_ADDRESS = re.compile(r"[a-z][a-z0-9+-]*://[^\s/?#@]+(?:/[^\s?#]*)?")
"""A URL with nothing in it that a server would take for a proof."""

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_MIXED = re.compile(r"(?=\D*\d)(?=[^A-Za-z]*[A-Za-z])\S{6,}")
_SCHEME = re.compile(r"(?i)(?:bearer|basic|token|apikey)\b")


def is_open(text: str) -> bool:
    """Whether a text is no secret under any name."""
    text = text.strip()
    return (
        not text
        or any(
            kind.fullmatch(text)
            for kind in (_SWITCH, _PLACEHOLDER, _REFERENCE, _PUBLIC, _PATH, _ADDRESS)
        )
        or is_filled_in(text)
        or (text.isupper() and text.isascii() and is_secret(text) and not mixed(text))
    )


def is_filled_in(text: str) -> bool:
    """Whether only places to be filled in are in a text, with what stands between them."""
    left = _FILLED_IN.sub("", text)
    return left != text and not re.search(r"\w", _SCHEME.sub("", left))


def is_fingerprint(text: str) -> bool:
    """Whether a text is how OpenPGP names a public key."""
    return bool(_FINGERPRINT.fullmatch(text))


def is_identifier(text: str) -> bool:
    """Whether a text is a UUID."""
    return bool(_UUID.fullmatch(text))


def mixed(text: str) -> bool:
    """Whether letters and digits are in a text of one piece."""
    return bool(_MIXED.fullmatch(text))


def drawn_by_lot(text: str) -> bool:
    """Whether a text looks drawn by lot: long, of one piece, letters and digits mixed."""
    if len(text) < 16 or not re.fullmatch(r"[\w+/=.~-]+", text) or is_identifier(text):
        return False
    if re.fullmatch(r"[0-9a-f]{32,}|[0-9A-F]{32,}", text):
        return mixed(text)
    if re.fullmatch(r"[a-z]+(?:\.\w+){2,}", text):
        return False  # a module or a class
    kinds = ["d" if each.isdigit() else "l" for each in text if each.isalnum()]
    if _changes(kinds) >= 5:
        return True
    cases = ["d" if each.isdigit() else each.isupper() for each in text if each.isalnum()]
    return len(set(cases)) == 3 and _changes(cases) >= 8


def _changes(kinds: list[str] | list[str | bool]) -> int:
    return sum(one != other for one, other in itertools.pairwise(kinds))


def is_code(text: str) -> bool:
    """Whether a text calls or looks up something, as a value in a program does."""
    return bool(
        re.match(r"(?:await )?[A-Za-z_][\w.]*(?:\(|\[(?:['\"]|$))|[\[{(]+$|[bfru]{1,2}$", text)
    )


def is_plain_words(text: str) -> bool:
    """Whether a text is of small letters in pieces, as kinds and names of things are."""
    return bool(re.fullmatch(r"[a-z]+(?:[-_ ][a-z]+)*", text))


def decoded(text: str) -> str:
    """The text that base64 encodes; nothing if it is none."""
    if len(text) < 8 or not re.fullmatch(r"[A-Za-z0-9+/_-]+={0,2}", text):
        return ""
    try:
        found = b64decode(
            text + "=" * (-len(text) % 4), altchars=b"-_" if set(text) & set("-_") else None
        )
        plain = found.decode()
    except ValueError:
        return ""
    return plain if all(each.isprintable() or each in "\t\r\n" for each in plain) else ""


def is_login(text: str) -> bool:
    """Whether a text is base64 of a name and a password, as HTTP's Basic and registries take it."""
    name, parted, password = decoded(text).partition(":")
    return bool(parted and password and " " not in name)
