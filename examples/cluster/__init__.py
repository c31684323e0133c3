"""The example of a cluster adapter: Dask in a toy cloud."""
