"""Dask clusters in a toy cloud, the start of an author's own."""
