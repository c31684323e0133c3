"""The example of a home adapter: an fsspec filesystem on a toy store."""
