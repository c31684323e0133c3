# Notebooks and Dask clusters on Kubernetes; the hub runs there, too. The image must hold greyhub.
import greyhub

c = get_config()  # noqa: F821

c.GreyHub.spawner = "kubernetes"
c.GreyHub.cluster = "kubernetes"
c.GreyHub.auth = "generic-oauth"
c.GreyHub.homespace = "s3://homes/{username}"  # with rights that the pods themselves have
c.GreyHub.data = "https://data.example.org/catalog.yaml"

c.PodSpawner.image = "registry.example.org/notebook:2026.11"
c.KubernetesCluster.user_limits = {"clusters": 3, "workers": 50}
c.JupyterHub.hub_ip = "0.0.0.0"
c.JupyterHub.hub_connect_ip = "hub"  # the name of the hub's Service

c.GenericOAuthenticator.client_id = "greyhub"
c.GenericOAuthenticator.client_secret = greyhub.secret(env="OIDC_SECRET")
c.GenericOAuthenticator.authorize_url = "https://id.example.org/authorize"
c.GenericOAuthenticator.token_url = "https://id.example.org/token"
c.GenericOAuthenticator.userdata_url = "https://id.example.org/userinfo"
c.GenericOAuthenticator.allow_all = True

greyhub.compose(c)
