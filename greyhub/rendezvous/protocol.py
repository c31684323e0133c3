"""What an agent and a hub say to each other: keys, signed requests, sealed answers.

A request is a JSON object: ``key``, the agent's public signing key; ``body``, a JSON text;
``signature``, of that text. The body has the fields of `SCHEMAS` and a ``challenge`` that the
hub has given, each good for one request. Every answer brings the next one.
"""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from greyhub.errors import GreyHubError

PATH: Final = "greyhub/rendezvous"
"""Where the hub answers, below its own address."""

LIMIT: Final = 64 * 1024
"""Bytes that a request may have."""

LOG: Final = 8 * 1024
"""Characters of a server's log that are reported."""

_SIGNED: Final = b"greyhub rendezvous 1: signed\n"
_SEALED: Final = b"greyhub rendezvous 1: sealed\n"


class BadMessage(GreyHubError):
    """A message that does not keep the protocol."""


def hashed(nonce: str) -> str:
    """What is kept of a nonce."""
    return hashlib.sha256(nonce.encode()).hexdigest()


@dataclass(frozen=True)
class PublicKeys:
    """What is known of an agent: its two public keys, as hexadecimal text."""

    signing: str
    sealing: str

    def seal(self, data: bytes, context: str) -> str:
        """Encrypt for this agent alone; ``context`` must be given again to open it."""
        ephemeral = X25519PrivateKey.generate()
        public = ephemeral.public_key().public_bytes_raw()
        shared = ephemeral.exchange(X25519PublicKey.from_public_bytes(bytes.fromhex(self.sealing)))
        key = _derived(shared, public, self.sealing, context)
        # The key is used once, so the nonce need not change.
        return b64encode(public + ChaCha20Poly1305(key).encrypt(bytes(12), data, None)).decode()


@dataclass(frozen=True)
class Keys:
    """An agent's private keys."""

    signing: Ed25519PrivateKey
    sealing: X25519PrivateKey

    @classmethod
    def make(cls) -> Keys:
        """A new pair."""
        return cls(Ed25519PrivateKey.generate(), X25519PrivateKey.generate())

    @classmethod
    def loads(cls, text: str) -> Keys:
        """Those that `dumps` has written."""
        signing, sealing = map(bytes.fromhex, text.split())
        return cls(
            Ed25519PrivateKey.from_private_bytes(signing),
            X25519PrivateKey.from_private_bytes(sealing),
        )

    def dumps(self) -> str:
        """The private keys, for a file of their owner's alone."""
        raw = self.signing.private_bytes_raw(), self.sealing.private_bytes_raw()
        return "\n".join(each.hex() for each in raw) + "\n"

    @property
    def public(self) -> PublicKeys:
        """What others may know."""
        return PublicKeys(
            self.signing.public_key().public_bytes_raw().hex(),
            self.sealing.public_key().public_bytes_raw().hex(),
        )

    def request(self, what: str, challenge: str, fields: Mapping[str, object]) -> bytes:
        """A signed request."""
        body = json.dumps({**fields, "what": what, "challenge": challenge})
        signature = self.signing.sign(_SIGNED + body.encode()).hex()
        message = {"key": self.public.signing, "body": body, "signature": signature}
        return json.dumps(message).encode()

    def open(self, sealed: str, context: str) -> bytes:
        """Decrypt what was sealed to these keys in this context."""
        try:
            raw = b64decode(sealed, validate=True)
            shared = self.sealing.exchange(X25519PublicKey.from_public_bytes(raw[:32]))
            key = _derived(shared, raw[:32], self.public.sealing, context)
            return ChaCha20Poly1305(key).decrypt(bytes(12), raw[32:], None)
        except (ValueError, InvalidTag):
            raise BadMessage("what the hub sent was not sealed to this agent's key") from None


def _derived(shared: bytes, ephemeral: bytes, sealing: str, context: str) -> bytes:
    info = _SEALED + ephemeral + bytes.fromhex(sealing) + context.encode()
    return HKDF(SHA256(), 32, None, info).derive(shared)


@dataclass(frozen=True)
class Request:
    """A request whose form is right; nothing is known of its signature yet."""

    what: str
    key: str
    fields: Mapping[str, Any]
    body: str
    signature: str

    def is_signed(self) -> bool:
        """Whether its key has signed it."""
        try:
            key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(self.key))
            key.verify(bytes.fromhex(self.signature), _SIGNED + self.body.encode())
        except (ValueError, InvalidSignature):
            return False
        return True


def parse(what: str, raw: bytes) -> Request:
    """Read a request of one kind.

    Raises
    ------
    BadMessage
        It is not one, or says that it is for something else.
    """
    outer = _mapping(raw)
    _check(outer, {"key": _hexadecimal(32), "body": _text(LIMIT), "signature": _hexadecimal(64)})
    fields = _mapping(outer["body"].encode())
    _check(fields, {"what": _text(16), "challenge": _text(256), **SCHEMAS[what]})
    if fields["what"] != what:
        raise BadMessage(f"a request to {what} that was signed for something else")
    return Request(what, outer["key"], fields, outer["body"], outer["signature"])


def _mapping(raw: bytes) -> dict[str, Any]:
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        raise BadMessage("not JSON") from None
    if not isinstance(found, dict):
        raise BadMessage("not a JSON object")
    return found


Check = Callable[[Any], bool]


def _check(found: Mapping[str, Any], schema: Mapping[str, Check]) -> None:
    for name, is_right in schema.items():
        if name not in found or not is_right(found[name]):
            raise BadMessage(f"the field {name} is missing, or not what it must be")


def _text(longest: int) -> Check:
    return lambda value: isinstance(value, str) and len(value) <= longest


def _hexadecimal(size: int) -> Check:
    def is_right(value: Any) -> bool:
        digits = isinstance(value, str) and len(value) == 2 * size
        return digits and set(value) <= set("0123456789abcdef")

    return is_right


def _number(low: int, high: int) -> Check:
    return lambda value: type(value) is int and low <= value <= high


def _words(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and len(value) <= 16
        and all(_text(256)(each) for pair in value.items() for each in pair)
    )


SCHEMAS: Final[Mapping[str, Mapping[str, Check]]] = {
    # The nonce of the script, the key to seal to, and what the agent says of its machine.
    "register": {"nonce": _text(128), "sealing": _hexadecimal(32), "machine": _words},
    # The run that has ended here, if one has, and how: asks for the next one.
    "boot": {"after": _text(64), "status": _number(-255, 255), "log": _text(LOG)},
    # The run that goes on here, and where it listens: port 0 if it does not yet.
    "report": {
        "run": _text(64),
        "host": _text(64),
        "port": _number(0, 65535),
        "wait": lambda value: isinstance(value, bool),
    },
    # The proof of a key with which a tunnel begins: not asked of the hub itself.
    "tunnel": {},
}
"""The fields of each kind of request."""

ASKED: Final = ("register", "boot", "report")
"""The requests that the hub answers."""
