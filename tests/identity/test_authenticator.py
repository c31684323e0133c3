"""What the hub's Authenticator class makes of logins, whatever class it was made of."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from jupyterhub.auth import Authenticator
from oauthenticator.generic import GenericOAuthenticator
from tornado.web import HTTPError
from traitlets import Any as AnyTrait
from traitlets.config import Config, Configurable

from greyhub.identity.authenticator import identified
from greyhub.identity.rules import Identity
from tests.identity.databases import add, identities


class App(Configurable):
    """Stands in for JupyterHub: the database is all that is asked of it."""

    db = AnyTrait()


@pytest.fixture
def app() -> Iterator[App]:
    with identities() as table:
        yield App(db=table.session)


class Simple(Authenticator):
    """Whoever comes is who they say."""

    auth_refresh_age = 300

    async def authenticate(self, handler: Any, data: Any) -> Any:
        return data["model"]

    async def refresh_user(self, user: Any, handler: Any = None) -> Any:
        return user.told


class WithIdentity(Simple):
    """As an OpenID Connect client."""

    issuer = "https://login.example.org"

    def identity(self, auth_model: Any) -> tuple[str, str]:
        return self.issuer, auth_model["sub"]


class OAuth(GenericOAuthenticator):
    """A provider that says what it is told to."""

    async def token_to_user(self, token_info: Any) -> Any:
        return token_info["claims"]

    async def authenticate(self, handler: Any, data: Any = None, **kwargs: Any) -> Any:
        token = {"access_token": "t", "claims": data["claims"]}
        return await self._token_to_auth_model(token)


def made(app: App, cls: type = Simple, word: str = "simple", **options: Any) -> Any:
    options.setdefault("allow_all", True)
    return identified(cls, word)(parent=app, **options)


async def log_in(authenticator: Any, model: Any, **more: Any) -> Any:
    return await authenticator.get_authenticated_user(SimpleNamespace(), {"model": model, **more})


async def name_of(authenticator: Any, model: Any) -> str | None:
    found = await log_in(authenticator, model)
    assert found is None or type(found["name"]) is str
    return found and str(found["name"])


async def refused(authenticator: Any, model: Any, **more: Any) -> str:
    with pytest.raises(HTTPError) as error:
        await log_in(authenticator, model, **more)
    assert error.value.status_code == 403
    return str(error.value.get_message())


async def test_a_login_is_the_user_it_was_whatever_the_provider_says_now(app: App) -> None:
    one = made(app, WithIdentity)
    assert await name_of(one, {"name": "ada", "sub": "7f3a"}) == "ada"
    assert await name_of(one, {"name": "countess", "sub": "7f3a"}) == "ada"
    said = await refused(one, {"name": "ada", "sub": "9b1c"})
    assert "ada" in said
    assert "administrator" in said
    assert await name_of(one, {"name": "countess", "sub": "9b1c"}) == "countess"


def test_the_class_has_the_name_and_the_options_of_the_one_that_was_chosen(app: App) -> None:
    config = Config({"Simple": {"allow_all": True}})
    config.Simple.allowed_users.add("ada")
    one = identified(Simple, "simple")(parent=app, config=config)
    assert (type(one).__name__, one.allow_all, one.allowed_users) == ("Simple", True, {"ada"})
    assert one.section_names().count("Simple") == 1


async def test_the_log_names_the_command(app: App, caplog: pytest.LogCaptureFixture) -> None:
    await name_of(made(app), "ada")
    other = made(app, WithIdentity, log=logging.getLogger("tests"))
    await refused(other, {"name": "ada", "sub": "7f3a"})
    command = "greyhub users map ada --issuer https://login.example.org --subject 7f3a"
    assert command in caplog.text


async def test_rules_are_for_the_user_and_not_for_what_the_provider_says(app: App) -> None:
    await name_of(made(app, WithIdentity), {"name": "mallory", "sub": "1"})
    rules = {"allow_all": False, "allowed_users": {"ada", "mallory"}, "admin_users": {"ada"}}
    one = made(app, WithIdentity, **rules)
    model = await log_in(one, {"name": "ada", "sub": "1", "admin": True})
    assert (model["name"], model["admin"]) == ("mallory", False)
    blocked = made(app, WithIdentity, blocked_users={"mallory"})
    assert await name_of(blocked, {"name": "eve", "sub": "1"}) is None


async def test_who_is_not_let_in_takes_no_name(app: App) -> None:
    closed = made(app, WithIdentity, allow_all=False, allowed_users={"bob"})
    assert await name_of(closed, {"name": "ada", "sub": "1"}) is None
    assert await name_of(made(app), "ada") == "ada"


async def test_names_are_not_made_small_again(app: App) -> None:
    one = made(app, WithIdentity)
    identities_of(app).map(Identity(WithIdentity.issuer, "1"), "Ada")
    assert await name_of(one, {"name": "x", "sub": "1"}) == "Ada"
    mapped = made(app, username_map={"ada": "root", "x": "ada"})
    assert await name_of(mapped, "x") == "ada"


def identities_of(app: App) -> Any:
    from greyhub.identity.table import Identities

    return Identities(app.db)


async def test_users_of_before_the_table_get_in_as_before(app: App) -> None:
    add(identities_of(app), "ada", "bob")
    first = made(app)
    assert await name_of(first, "ada") == "ada"
    await refused(made(app, WithIdentity), {"name": "bob", "sub": "1"})
    assert await name_of(first, "bob") == "bob"


async def test_users_whom_an_administrator_adds_are_of_the_issuer_in_force(app: App) -> None:
    one, other = made(app, WithIdentity), made(app)
    assert await name_of(one, {"name": "eve", "sub": "9"}) == "eve"
    add(identities_of(app), "ada")
    await one.add_user(SimpleNamespace(name="ada"))
    await refused(other, "ada")
    assert await name_of(one, {"name": "ada", "sub": "1"}) == "ada"


@pytest.mark.parametrize("name", [None, 7, ["ada"], {"a": 1}])
async def test_what_is_no_name_takes_no_row(app: App, name: Any) -> None:
    with pytest.raises(Exception):  # noqa: B017, PT011 -- JupyterHub's own way to refuse it
        await log_in(made(app), {"name": name})
    assert identities_of(app).rows() == {}


@pytest.mark.parametrize("sub", ["", None, 7, "x" * 300, "a\nb"])
async def test_a_login_that_does_not_say_who_it_is_is_refused(app: App, sub: Any) -> None:
    await refused(made(app, WithIdentity), {"name": "ada", "sub": sub})
    assert identities_of(app).rows() == {}


@pytest.mark.parametrize("name", ["x" * 300, "a\u200bb", "a\nb"])
async def test_a_name_that_cannot_be_kept_is_refused(
    app: App, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    one = made(app, WithIdentity, log=logging.getLogger("tests"))
    assert "no user can have" in await refused(one, {"name": name, "sub": "1"})
    assert identities_of(app).rows() == {}
    assert max(map(len, caplog.text.splitlines()), default=0) < 250


async def test_a_refresh_that_is_about_another_user_asks_for_a_login(app: App) -> None:
    one = made(app, WithIdentity)
    await name_of(one, {"name": "ada", "sub": "1"})
    await name_of(one, {"name": "bob", "sub": "2"})

    async def refresh(user: str, told: Any) -> Any:
        return await one.refresh_user(SimpleNamespace(name=user, told=told))

    assert (await refresh("ada", {"name": "new-name", "sub": "1"}))["name"] == "ada"
    assert await refresh("ada", {"name": "ada", "sub": "2"}) is False
    assert await refresh("ada", {"name": "ada", "sub": "3"}) is False
    assert await refresh("ada", {"name": "eve", "sub": "3"}) is False
    assert await refresh("ada", True) is True
    assert await refresh("ada", False) is False
    assert await refresh("ada", {"groups": []}) == {"groups": []}


async def test_a_hook_may_return_another_model(app: App) -> None:
    def hook(authenticator: Any, handler: Any, model: Any) -> Any:
        return {"name": f"{model['name']}", "groups": []}

    one = made(app, WithIdentity, post_auth_hook=hook)
    assert await name_of(one, {"name": "ada", "sub": "1"}) == "ada"
    assert await name_of(one, {"name": "eve", "sub": "1"}) == "ada"


async def test_a_row_that_changes_during_the_login_is_not_used(app: App) -> None:
    def meanwhile(authenticator: Any, handler: Any, model: Any) -> Any:
        identities_of(app).map(Identity(WithIdentity.issuer, "1"), "root")
        return model

    one = made(app, WithIdentity, post_auth_hook=meanwhile)
    assert "log in again" in await refused(one, {"name": "ada", "sub": "1"})


OPTIONS = {
    "username_claim": "name",
    "authorize_url": "https://id.example.org/authorize",
    "token_url": "https://id.example.org/token",
    "userdata_url": "https://id.example.org/me",
}


async def test_of_oauth_the_subject_or_the_number_counts(app: App) -> None:
    one = made(app, OAuth, "generic-oauth", **OPTIONS)
    for claims, name in (
        ({"sub": "a1", "name": "ada"}, "ada"),
        ({"sub": "a1", "name": "eve"}, "ada"),
        ({"id": 5, "name": "bob"}, "bob"),
        ({"id": 5, "name": "ada"}, "bob"),
        ({"name": "carl"}, "carl"),
    ):
        assert (await log_in(one, None, claims=claims))["name"] == name
    issuer = "generic-oauth@id.example.org"
    assert set(identities_of(app).rows()) == {
        (issuer, "a1"),
        (issuer, "5"),
        (issuer, "name:carl"),
    }
    await refused(one, None, claims={"id": 6, "name": "ada"})
    elsewhere = made(app, OAuth, "generic-oauth", **OPTIONS | {"authorize_url": "https://b.org/a"})
    await refused(elsewhere, None, claims={"id": 5, "name": "bob"})


async def test_of_oauth_nobody_is_an_admin_by_a_name_that_is_not_theirs(app: App) -> None:
    admins = {"admin_users": {"grace"}}
    one = made(app, OAuth, "generic-oauth", **OPTIONS, **admins)
    await log_in(one, None, claims={"sub": "m", "name": "mallory"})
    await log_in(one, None, claims={"sub": "g", "name": "grace"})
    model = await log_in(one, None, claims={"sub": "m", "name": "grace"})
    assert (model["name"], model["admin"]) == ("mallory", None)
    model = await log_in(one, None, claims={"sub": "g", "name": "x"})
    assert (model["name"], model["admin"]) == ("grace", True)
