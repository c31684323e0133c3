"""The risks that an administrator may accept by name."""

from __future__ import annotations

RISKS = {
    "nobody": "nobody may log in by hand: the hub is for API tokens alone",
    "everybody": "everybody who can reach a public address may log in, under any name they have "
    "at a provider that is open to all",
    "shared-password": "one password opens a hub that other machines can reach",
    "plain-http": "passwords cross the network in clear text, between the browser and a hub "
    "without TLS",
    "users-see-secrets": "every user can read a secret that the configuration hands to servers",
}
"""The words that ``c.GreyHub.accepted_risks`` takes, and what each of them means."""
