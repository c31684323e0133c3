"""A home on a toy store, the start of an author's own."""
