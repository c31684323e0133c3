"""Toy adapters that keep their contracts: a start for an author's own, tested like greyhub's."""
