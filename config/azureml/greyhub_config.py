# A hub on a machine in Azure: logins by Entra ID, homes in Blob storage. Servers and clusters
# run on the hub's own machine: greyhub has no spawner or cluster of Azure ML's yet.
import greyhub

c = get_config()  # noqa: F821

c.GreyHub.auth = "azuread"
c.GreyHub.homespace = "abfs://homes/{username}"
c.HomespaceAdapter.storage_options = {"account_name": "examplehomes"}  # and the machine's identity

c.AzureAdOAuthenticator.tenant_id = "00000000-0000-0000-0000-000000000000"
c.AzureAdOAuthenticator.client_id = "11111111-1111-1111-1111-111111111111"
c.AzureAdOAuthenticator.client_secret = greyhub.secret(env="ENTRA_SECRET")
c.AzureAdOAuthenticator.oauth_callback_url = "https://hub.example.org/hub/oauth_callback"
c.AzureAdOAuthenticator.username_claim = "oid"  # never given to another user
c.AzureAdOAuthenticator.allow_all = True  # everybody of this tenant

c.JupyterHub.ip = "127.0.0.1"  # what ends TLS is on this machine
c.JupyterHub.public_url = "https://hub.example.org/"

greyhub.compose(c)
