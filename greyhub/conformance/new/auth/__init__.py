"""Logins by a provider of identities, the start of an author's own."""
