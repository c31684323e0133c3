"""A spawner for a toy cloud, the start of an author's own."""
