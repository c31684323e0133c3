"""Backups of what a hub remembers: its database, its keys and tables. Homes are not part of it."""
