"""The broker of Dask clusters: dask-gateway's server, run by the hub as its service ``clusters``.

A notebook asks the broker for a cluster and holds no credentials of the backend. The broker
knows whose each cluster is, keeps the limits, and ends what nobody uses. A backend says how a
scheduler and a worker are started and ended, and whether they live.
"""
