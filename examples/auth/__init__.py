"""The example of an authenticator: OAuth2."""
