from greyhub.conformance import AuthSuite, Restriction
from examples.auth.toyauth import ToyAuthenticator

NO = "password id_token email_names overage sessions"
IN = {"claims": {"hd": "in.example"}}
OUT = [{"claims": {"hd": domain}} for domain in ("other.example", "in.example.evil", "")]


# fmt: off
class TestToyAuthenticator(AuthSuite):
    adapter = ToyAuthenticator
    claims = {"oauth2", "groups", "restricts", "remote", "refresh", "slo"}
    declines = dict.fromkeys(NO.split(), "the toy's provider has none, or it is not used")
    config = {"ToyAuthenticator": {"client_id": "{client_id}", "client_secret": "{client_secret}",
        "oauth_callback_url": "{callback}", "authorize_url": "{authorize}", "token_url": "{token}",
        "userdata_url": "{userinfo}", "username_claim": "preferred_username",
        "scope": ["openid", "profile"], "registry": "{directory}/subjects.json"}}
    def restrictions(self):
        return [Restriction({"domain": "in.example"}, "in.example", IN, OUT)]
