"""What a hub's database tells of users and servers, whether the hub runs or not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from greyhub.errors import HomeError

if TYPE_CHECKING:
    from greyhub.starts.table import Start

T = TypeVar("T")

Server = tuple[str, str]
"""The names of a user and of a server of theirs; that of the default server is empty."""

SERVERS: Final = (
    "select users.name, spawners.name from users join spawners on spawners.user_id = users.id "
    "where spawners.server_id is not null"
)
"""The query for the servers that run, start or stop."""


class HubDatabase:
    """What a hub's database tells, whether the hub runs or not.

    Parameters
    ----------
    url : str
        Of the database, as in ``c.JupyterHub.db_url``.

    Raises
    ------
    greyhub.errors.HomeError
        It does not tell.
    """

    def __init__(self, url: str) -> None:
        self.url = url

    def users(self) -> set[str]:
        """The names of all users."""
        found = self._rows("select name from users", "who its users are")
        return {str(name) for (name,) in found}

    def same_names(self) -> set[tuple[str, str]]:
        """Pairs of issuers: the names of the first may be had by the second's logins."""
        query = "select source, target from greyhub_same_names"
        return {
            (str(source), str(target))
            for source, target in self._rows(query, "whose names are whose")
        }

    def servers(self) -> set[Server]:
        """The servers that run, start or stop."""
        return {(str(user), str(name)) for user, name in self._rows(SERVERS, "whose servers run")}

    def starts(self) -> list[Start]:
        """The last starts of servers, the newest first."""
        from greyhub.starts.table import read

        return self._ask(read, "how servers started") or []

    def running(self) -> set[str]:
        """The users who have such a server."""
        return {user for user, _ in self.servers()}

    def _rows(self, query: str, what: str) -> list[Any]:
        from sqlalchemy import text

        return self._ask(lambda connection: list(connection.execute(text(query))), what) or []

    def _ask(self, question: Callable[[Any], T], what: str) -> T | None:
        """The answer to a question, said in words, too; None where there is no database yet."""
        from sqlalchemy import create_engine
        from sqlalchemy.exc import SQLAlchemyError

        file = self.url.removeprefix("sqlite:///")
        if file != self.url and not Path(file.partition("?")[0]).exists():
            return None  # a hub that was never started; to look must not make it one
        try:
            engine = create_engine(self.url)
            try:
                with engine.connect() as connection:
                    return question(connection)
            finally:
                engine.dispose()
        except SQLAlchemyError as error:
            raise HomeError(
                f"the hub's database does not tell {what}: {type(error).__name__}.\n"
                "  fix: look at c.JupyterHub.db_url, at the database itself, and at who may read it"
            ) from error
