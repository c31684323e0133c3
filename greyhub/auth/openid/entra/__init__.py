"""Microsoft Entra ID: what it says and does beyond OpenID Connect."""
