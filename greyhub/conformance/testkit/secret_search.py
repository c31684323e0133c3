"""Find a secret in a text: as it is, or in base64."""

from __future__ import annotations

import base64


def contains_secret(text: str, secret: str) -> bool:
    """Whether a text holds a secret."""
    plain = secret.encode()
    # What stands before it in the same base64 shifts it by none, one or two bytes.
    shifted = (base64.b64encode(bytes(by) + plain)[4 * bool(by) : -4] for by in range(3))
    forms = {secret, *(each.decode() for each in shifted)}
    return any(form and (form in text or _for_urls(form) in text) for form in forms)


def _for_urls(form: str) -> str:
    return form.replace("+", "-").replace("/", "_")
