"""A connection of sqlite3, which only its own thread may use, from the first hook to the end of the request."""

import sqlite3
import time
from collections.abc import Iterator

from antiphon import App, Request, Response

ROWS = "0\n1\n2\n3\n"
PAUSE = 0.005
"""Seconds between two rows, in which other requests are answered."""

closed: dict[str, str] = {}
"""Whether the connection of each request could be closed by its thread, by the name that the request gave it."""


def register(app: App) -> None:
    @app.before_request
    def connect(request: Request) -> None:
        if request.endpoint == "database":
            request.g.database = sqlite3.connect(":memory:")

    @app.after_request
    def commit(request: Request, _: Response) -> None:
        if request.endpoint == "database":
            request.g.database.commit()

    @app.post("/def/database/<name>", name="database")
    def database(request: Request) -> Iterator[str]:
        connection: sqlite3.Connection = request.g.database
        connection.execute("create table numbers (number)")
        connection.executemany("insert into numbers values (?)", [(number,) for number in range(4)])

        def rows() -> Iterator[str]:
            for (number,) in connection.execute("select number from numbers"):
                yield f"{number}\n"
                time.sleep(PAUSE)

        @request.after_response
        def close() -> None:
            try:
                connection.close()
            except sqlite3.ProgrammingError as error:
                closed[request.path_params["name"]] = str(error)
            else:
                closed[request.path_params["name"]] = "closed"

        return rows()

    @app.get("/def/database/<name>")
    def look(request: Request) -> dict[str, str | None]:
        return {"closed": closed.get(request.path_params["name"])}
