"""Who is given which name, whatever is asked in whatever order."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.schema import CreateTable

from greyhub.identity.rules import Identity, NameTaken
from greyhub.identity.table import METADATA, Identities
from tests.identity import databases
from tests.identity.databases import identities

LOCAL, OPENID = "local", "https://login.example.org"


def test_a_name_is_kept_whatever_the_provider_says_later() -> None:
    with identities() as table:
        ada = Identity(OPENID, "7f3a")
        assert table.claim(ada, "ada") == "ada"
        assert table.claim(ada, "countess@example.org") == "ada"
        assert table.rows() == {ada: "ada"}
        assert set(table.names()) == {"ada"}  # the other name is still free


def test_two_people_never_have_one_name() -> None:
    with identities() as table:
        table.claim(Identity(OPENID, "7f3a"), "ada")
        for other in (Identity(OPENID, "9b1c"), Identity(LOCAL, "ada")):
            with pytest.raises(NameTaken) as refused:
                table.claim(other, "ada")
            assert (
                f"greyhub users map ada --issuer {other.issuer} --subject {other.subject}"
                in str(refused.value)
            )
            assert table.find(other) is None


def test_what_is_said_to_the_administrator_is_safe_in_a_shell() -> None:
    taken = NameTaken(Identity("it's; rm -rf /", "$(id)"), "a b")
    assert taken.command == (
        "greyhub users map 'a b' --issuer 'it'\"'\"'s; rm -rf /' --subject '$(id)'"
    )


def test_users_of_before_are_the_issuer_s_that_was_in_force_then() -> None:
    with identities(None, "ada", "bob") as table:
        table.note_users(LOCAL)
        table.note_users(OPENID)  # after a swap: they are noted already
        with pytest.raises(NameTaken):
            table.claim(Identity(OPENID, "ada"), "ada")
        assert table.claim(Identity(LOCAL, "ada"), "ada") == "ada"
        with pytest.raises(NameTaken):  # by one person, once
            table.claim(Identity(LOCAL, "another"), "ada")


def test_a_name_whose_login_was_moved_away_is_nobody_s() -> None:
    for moved in (Identity(LOCAL, "ada"), Identity("pam", "ada")):
        with identities(None, "ada", "bob") as table:
            table.note_users(LOCAL)
            if moved.issuer == LOCAL:
                table.claim(moved, "ada")
            else:
                table.map(moved, "ada")
            table.map(moved, "bob")
            with pytest.raises(NameTaken):
                table.claim(Identity(LOCAL, "another"), "ada")


def test_a_user_whom_nobody_noted_is_nobody_s() -> None:
    with identities(None, "ada") as table, pytest.raises(NameTaken):
        table.claim(Identity(LOCAL, "ada"), "ada")


def test_the_name_of_a_deleted_user_waits_for_them() -> None:
    with identities() as table:
        ada = Identity(LOCAL, "ada")
        table.claim(ada, "ada")  # JupyterHub's user is gone: it was never there
        with pytest.raises(NameTaken):
            table.claim(Identity(OPENID, "7f3a"), "ada")
        assert table.claim(ada, "ada") == "ada"


def test_same_names_are_had_while_the_rule_is_there_and_by_one_person() -> None:
    with identities() as table:
        for name in ("ada", "bob", "eve"):
            table.claim(Identity(LOCAL, name), name)
        table.allow_same_names(LOCAL, OPENID)
        assert table.claim(Identity(OPENID, "1"), "ada") == "ada"
        with pytest.raises(NameTaken):
            table.claim(Identity(OPENID, "2"), "ada")
        with pytest.raises(NameTaken):  # it is said of one direction
            table.claim(Identity("pam", "bob"), "bob")
        table.allow_same_names(LOCAL, OPENID, allowed=False)
        with pytest.raises(NameTaken):
            table.claim(Identity(OPENID, "3"), "bob")
        assert table.claim(Identity(OPENID, "1"), "ada") == "ada"  # who has it keeps it


@pytest.mark.parametrize("bad", ["", "a\nb", "x" * 256, None, 7, "\0"])
def test_what_cannot_be_kept_is_no_identity(bad: Any) -> None:
    with identities() as table:
        for identity in (Identity(bad, "ada"), Identity(LOCAL, bad)):
            with pytest.raises(ValueError, match="known"):
                table.claim(identity, "ada")
        with pytest.raises(ValueError, match="known"):
            table.claim(Identity(LOCAL, "ada"), bad)
        assert table.rows() == {}


def test_logins_at_once_never_share_a_name_and_are_one_person_once(tmp_path: Path) -> None:
    path, many = tmp_path / "hub.sqlite", 4
    with identities(path):
        pass
    together = Barrier(many * 2)

    def log_in(number: int) -> str | None:
        with identities(path) as table:
            together.wait()
            try:  # every person twice, all ask for one name
                return table.claim(Identity(OPENID, str(number // 2)), "ada")
            except NameTaken:
                return None

    with ThreadPoolExecutor(many * 2) as pool:
        got = list(pool.map(log_in, range(many * 2)))
    with identities(path) as table:
        [(winner, name)] = table.rows().items()
        assert name == "ada"
        first = int(winner.subject) * 2
        expected: list[str | None] = [None] * many * 2
        expected[first : first + 2] = ["ada", "ada"]
        assert got == expected


def test_two_processes_may_make_the_tables_at_once(tmp_path: Path) -> None:
    path, many = tmp_path / "hub.sqlite", 6
    together = Barrier(many)

    def make(_: int) -> set[str]:
        together.wait()
        with identities(path) as table:
            return set(table.names())

    path.touch()
    with ThreadPoolExecutor(many) as pool:
        assert list(pool.map(make, range(many))) == [set()] * many


def test_the_tables_are_made_in_other_databases_too() -> None:
    for table in METADATA.sorted_tables:
        for dialect in (postgresql.dialect(), mysql.dialect()):
            assert "IF NOT EXISTS" in str(
                CreateTable(table, if_not_exists=True).compile(dialect=dialect)
            )


names = st.sampled_from(["ada", "bob", "Ada", "eve"])
people = st.builds(
    Identity, st.sampled_from([LOCAL, OPENID, "pam"]), st.sampled_from(["1", "2", "ada", "ADA"])
)


class Hub(RuleBasedStateMachine):
    """Logins and an administrator's commands in any order, beside a model of what is true."""

    def __init__(self) -> None:
        super().__init__()
        self.manager = identities()
        self.table: Identities = self.manager.__enter__()
        self.known: dict[Identity, str] = {}
        self.added: dict[str, str] = {}
        """Users who were added, and the issuer that was in force then."""
        self.spent: set[str] = set()
        """Names that are, or were, somebody's."""

    def teardown(self) -> None:
        self.manager.__exit__(None, None, None)

    @rule(who=people, name=names)
    def log_in(self, who: Identity, name: str) -> None:
        try:
            got = self.table.claim(who, name)
        except NameTaken:
            assert who not in self.known, "who has a name is never refused"
            assert name in self.spent | set(self.added), "a free name is given"
            return
        if who in self.known:
            assert got == self.known[who]
            return
        assert got == name
        theirs = {each.issuer for each, has in self.known.items() if has == name}
        assert who.issuer not in theirs, "two people of one issuer"
        if name in self.spent:
            sources = {one for one, other in self.table.same_names() if other == who.issuer}
            assert sources & theirs, "nobody said so"
        elif name in self.added and self.added[name] != who.issuer:
            sources = {one for one, other in self.table.same_names() if other == who.issuer}
            assert self.added[name] in sources, "nobody said so"
        self.known[who] = name
        self.spent.add(name)

    @rule(name=names, issuer=st.sampled_from([LOCAL, OPENID]))
    def add_user(self, name: str, issuer: str) -> None:
        if name not in databases.users(self.table):
            databases.add(self.table, name)
        self.table.note_users(issuer)
        if name not in self.spent:
            self.added.setdefault(name, issuer)

    @rule(who=people, name=names)
    def map(self, who: Identity, name: str) -> None:
        self.table.map(who, name)
        self.known[who] = name
        self.spent.add(name)

    @rule(one=st.sampled_from([LOCAL, "pam"]), allowed=st.booleans())
    def same_names(self, one: str, allowed: bool) -> None:
        self.table.allow_same_names(one, OPENID, allowed=allowed)

    @rule(old=names, new=names, user_too=st.booleans())
    def become(self, old: str, new: str, user_too: bool) -> None:
        there = databases.users(self.table)
        if old == new or (user_too and (old not in there or new in there)):
            return
        self.table.become(old, new, user_too=user_too)
        self.known = {who: new if has == old else has for who, has in self.known.items()}
        self.spent |= {old, new}

    @invariant()
    def the_rows_are_as_they_must_be(self) -> None:
        assert self.table.rows() == self.known
        assert set(self.known.values()) <= set(self.table.names())


Hub.TestCase.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
TestSequences = Hub.TestCase
