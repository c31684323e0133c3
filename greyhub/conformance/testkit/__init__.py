"""Tools of the clauses: a hub that can crash, an OAuth provider, a simulated Azure ML, a browser."""
