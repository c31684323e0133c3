"""Tools of the clauses: a hub that can crash, faults, an OAuth provider, a simulated Azure ML."""
