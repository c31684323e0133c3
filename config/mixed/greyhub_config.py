# Notebooks on Kubernetes, homes on S3, Dask clusters from a dask-gateway in another place,
# whatever it runs them on.
import greyhub

c = get_config()  # noqa: F821

c.GreyHub.spawner = "kubespawner.KubeSpawner"
c.GreyHub.cluster = "gateway"
c.GreyHub.auth = "github"
c.GreyHub.homespace = "s3://homes/{username}"
c.GreyHub.data = None

c.KubeSpawner.image = "registry.example.org/notebook:2026.11"
c.GatewayAdapter.address = "https://dask.example.org"
c.JupyterHub.hub_ip = "0.0.0.0"
c.JupyterHub.hub_connect_ip = "hub"

c.GitHubOAuthenticator.client_id = "greyhub"
c.GitHubOAuthenticator.client_secret = greyhub.secret(env="GITHUB_SECRET")
c.GitHubOAuthenticator.allowed_organizations = {"example"}

greyhub.compose(c)
