"""How servers start: each start is measured, kept in the hub's database, counted as metrics."""
