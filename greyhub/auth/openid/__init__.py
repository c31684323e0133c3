"""The Authenticator behind ``c.GreyHub.auth = "oidc"``: logins by any OpenID Connect provider."""
