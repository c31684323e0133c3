"""What the clauses use: a hub that can crash, a proxy that lies, a clock of the event loop."""
