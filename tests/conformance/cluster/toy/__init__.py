"""A toy cloud, and a Dask cluster whose parts are jobs of it."""
