"""A third party's data adapter: datasets of a toy service."""
