"""Tools of the clauses: a hub that can crash, a fault proxy, an OAuth provider, a browser."""
