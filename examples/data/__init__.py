"""The example of a data adapter: datasets of a toy service."""
