"""One connection for each request, and the command that makes tables."""

import sqlite3
from datetime import datetime

import click
from flask import current_app, g
from flask.cli import with_appcontext

sqlite3.register_converter("timestamp", lambda value: datetime.fromisoformat(value.decode()))


def connection():
    if "connection" not in g:
        g.connection = sqlite3.connect(current_app.config["DATABASE"], detect_types=sqlite3.PARSE_DECLTYPES)
        g.connection.row_factory = sqlite3.Row
    return g.connection


def close(error=None):
    opened = g.pop("connection", None)
    if opened is not None:
        opened.close()


def make_tables():
    with current_app.open_resource("tables.sql", "r") as file:
        connection().executescript(file.read())


@click.command("init-db")
@with_appcontext
def init_db():
    """Make empty tables."""
    make_tables()
    click.echo("The tables are there.")


def init_app(app):
    app.teardown_appcontext(close)
    app.cli.add_command(init_db)
