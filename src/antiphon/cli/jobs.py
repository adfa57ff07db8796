"""`antiphon jobs`: the durable requests and jobs of an application, and what operators do with those that failed."""

import logging
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

import click

from antiphon.cli.commands import aligned, print_lines
from antiphon.cli.errors import BadCommand, Refused

if TYPE_CHECKING:
    from antiphon.features.durable.administration import Administration, State, Work

_target = click.argument("target", metavar="[MODULE:APP]", required=False)
_what = click.argument("what", metavar="ID|NAME")
_state = click.Choice(["failed", "open", "queued", "finished", "cancelled"])


@click.group()
def jobs() -> None:
    """List the durable requests and jobs of an application, and retry or cancel those that have failed.

    A NAME is that of a function, such as shop:send_mail, or of a route, such as "POST /orders". It stands for all that
    have failed, or to cancel them, for those that are queued or open, too.
    """


@jobs.command("list")
@_target
@click.option("--state", type=_state, default="failed", show_default=True, help="List those in this state.")
@click.option("--name", help="List only those of this function or route.")
def list_(target: str | None, state: "State", name: str | None) -> None:
    """Print requests and jobs, one in a line, the latest first: when they began, their name, error and ID."""
    with _administration(target) as administration:
        rows = [(_time(each), each.name, each.error[:60], each.id) for each in administration.works(state, name)]
    print_lines(aligned(rows) if rows else [f"None {'are' if name is None else f'of {name} are'} {state}."])


@jobs.command()
@_what
@_target
def show(what: str, target: str | None) -> None:
    """Print a request or job with its steps, and why this version of the app can't carry it out, if it can't.

    Its arguments and results are not printed, since they may be secret.
    """
    with _administration(target) as administration:
        work = _found(administration, what)[0]
        steps = [f"  step {name} {error}".rstrip() for name, error in administration.steps(work.id)]
        problem = administration.explain_unusable(work.id)
    heading = [f"{work.kind} {work.name}, id {work.id}", f"{work.state}, began {_time(work)} {work.error}".rstrip()]
    print_lines([*heading, *steps, *filter(None, [problem])])


@jobs.command()
@_what
@_target
def retry(what: str, target: str | None) -> None:
    """Have a request or job that failed, or all of a name, carried out again by a process that serves the app.

    Steps that were carried out are not repeated. The exit code is 1 if anything is left as it is.
    """
    is_left = False
    with _administration(target) as administration:
        for work in _found(administration, what):
            reason = administration.explain_unusable(work.id)
            if not reason and not administration.retry(work):
                reason = "it has not failed, or is queued by now"
            is_left |= bool(reason)
            print_lines([f"{work.id} is left as it is: {reason}" if reason else f"{work.id} {work.name} is queued"])
    sys.exit(is_left)


@jobs.command()
@_what
@_target
def cancel(what: str, target: str | None) -> None:
    """Have a request or job, or all of a name, never carried out again. One that is open ends at its next step."""
    with _administration(target) as administration:
        for work in _found(administration, what, "open", "queued"):
            administration.cancel(work)
            print_lines([f"{work.id} {work.name} is cancelled"])


@contextmanager
def _administration(target: str | None) -> "Iterator[Administration]":
    """Give what an operator may do. Raises `Refused` for errors of the database, whenever they occur."""
    from antiphon.cli.routes import load_feature
    from antiphon.features import Durable

    durable = load_feature(target, Durable)
    logging.getLogger("dbos").setLevel(logging.ERROR)  # it warns of each value that can't be read here
    from sqlalchemy.exc import SQLAlchemyError

    try:
        with closing(durable._administration()) as administration:
            yield administration
    except SQLAlchemyError as error:
        reason = " ".join(str(getattr(error, "orig", None) or error).split())
        raise Refused(f"The database of Durable can't be used: {reason}. You can run the command again.") from None


def _found(administration: "Administration", what: str, *states: "State") -> "list[Work]":
    """Return one by its ID, or those of a name that failed or are in ``states``. Raises `BadCommand` for none."""
    work = administration.find(what)
    found = [work] if work else [each for state in ("failed", *states) for each in administration.works(state, what)]
    if not found:
        raise BadCommand(
            f"No request or job has the ID {what}, and none of that name has failed. Those that are tried again by"
            " themselves are in: antiphon jobs list --state open"
        )
    return found


def _time(work: "Work") -> str:
    return f"{datetime.fromtimestamp(work.began).astimezone():%Y-%m-%d %H:%M}"
