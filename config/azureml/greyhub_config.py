# A platform on a workspace of Azure ML: logins by Entra ID, a compute instance for each server, a
# job for each Dask worker, homes in Blob storage and data assets by their users' own rights.
import greyhub

c = get_config()  # noqa: F821

c.AzureML.subscription = "00000000-0000-0000-0000-000000000000"
c.AzureML.resource_group = "research"
c.AzureML.workspace = "notebooks"
c.AzureML.credential = "managed-identity"  # the hub's own machine's

c.GreyHub.auth = "entra"
c.EntraAuthenticator.tenant = "11111111-1111-1111-1111-111111111111"
c.EntraAuthenticator.client_id = "22222222-2222-2222-2222-222222222222"
c.EntraAuthenticator.client_secret = greyhub.secret(env="ENTRA_SECRET")
c.EntraAuthenticator.group_names = {"33333333-3333-3333-3333-333333333333": "staff"}
c.EntraAuthenticator.allowed_groups = {"staff"}
c.AuthAdapter.audiences = {"storage": {"scope": "https://storage.azure.com/user_impersonation"}}

c.GreyHub.spawner = "azureml"
c.AzureMLSpawner.subnet = (
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/research/providers"
    "/Microsoft.Network/virtualNetworks/hub/subnets/servers"
)
c.AzureMLSpawner.server_networks = ["10.1.0.0/16"]
c.AzureMLSpawner.agent_install = [
    "python3 -m venv /opt/greyhub",
    "/opt/greyhub/bin/pip install 'greyhub[local,azure,dataframe]'",
]
c.AzureMLSpawner.agent_python = "/opt/greyhub/bin/python"
c.Spawner.cmd = ["/opt/greyhub/bin/greyhub-singleuser"]

c.GreyHub.cluster = "azureml"
c.AzureMLCluster.job_environment = "dask:1"
c.AzureMLCluster.compute = "cpu-cluster"
c.AzureMLCluster.networks = ["10.1.0.0/16"]

c.GreyHub.homespace = "azureml"
c.AzureMLHomespace.account_url = "https://examplehomes.blob.core.windows.net"
c.AzureMLHomespace.hierarchical = True
c.AzureMLHomespace.make = True

c.GreyHub.data = "azureml"
c.AzureMLData.assets = ["*"]
c.AzureMLData.datastores = ["*"]

c.JupyterHub.ip = "127.0.0.1"  # what ends TLS is on this machine
c.JupyterHub.public_url = "https://hub.example.org/"

greyhub.compose(c)
