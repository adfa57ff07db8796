"""Guards of `antiphon run` around a program of other libraries: the options, and what they say."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from antiphon.cli.errors import BadCommand
from antiphon.cli.interface import Choice, spoken_interface

if TYPE_CHECKING:
    from antiphon.app.application import App

F = TypeVar("F", bound=Callable[..., Any])

_UNITS = {"": 0, "K": 10, "M": 20, "G": 30}


class Guards(NamedTuple):
    """The checks of requests before a program gets them, and the headers that its responses get."""

    trusted_hosts: tuple[str, ...] = ()
    refuse_cross_site: bool = False
    max_body: int | None = None
    """The most bytes of a body; None to leave that to the program."""
    security_headers: bool = False

    def around(self, program: Any, requested: Choice | None, name: str) -> "App":
        """Return an application that hands on to a program what these guards let pass. Errors give the program's name.

        With ``max_body``, bodies are received before the program is called; without, it receives them itself.

        Raises BadCommand for an App of Antiphon, which has settings for all of it, and for what speaks RSGI alone.
        """
        from antiphon.app.application import App  # late: the supervisor does not need them
        from antiphon.features.security_headers import SecurityHeaders
        from antiphon.http.limits import Limits

        if isinstance(program, App):
            raise BadCommand(f"{name} is an App of Antiphon, and guards itself: {self._in_code()}.")
        interface = spoken_interface(program, requested)
        if interface == "rsgi":
            raise BadCommand(f"{name} speaks RSGI alone, and guards stand around WSGI and ASGI.")
        app = App(trusted_hosts=self.trusted_hosts, cross_site_writes=not self.refuse_cross_site)
        if self.security_headers:
            app.use(SecurityHeaders())
        if self.max_body is None:
            app.mount("", program, interface=interface, receive="stream")
        else:
            app.mount("", program, interface=interface, limits=Limits(body=self.max_body))
        app._freeze()
        return app

    def _in_code(self) -> str:
        """Return what says the same in the program of an App."""
        settings = [f"trusted_hosts={[*self.trusted_hosts]}"] if self.trusted_hosts else []
        if self.max_body is not None:
            settings.append(f"limits=Limits(body={self.max_body})")
        statements = [f"App({', '.join(settings)})"] if settings else []
        if self.security_headers:
            statements.append("app.use(SecurityHeaders())")
        return f"write {' and '.join(statements)}" if statements else "it refuses writes from other sites by default"


NO_GUARDS = Guards()


def _hosts(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    hosts = tuple(host for value in values for host in value.split(","))
    if hosts:
        from antiphon.app.planning.trusted_hosts import TrustedHosts

        try:
            TrustedHosts(hosts)
        except ValueError as error:
            raise click.BadParameter(f"{error}.", context, parameter) from None
    return hosts


def _size(context: click.Context, parameter: click.Parameter, value: str | None) -> int | None:
    if value is None:
        return None
    if (found := re.fullmatch("([0-9]{1,15})([KMG]?)", value.upper())) is None:
        raise click.BadParameter(f"{value!r} is not a size: write bytes, or 64K, 16M, 1G.", context, parameter)
    return int(found[1]) << _UNITS[found[2]]


_OPTIONS = (
    click.option(
        "--trusted-hosts",
        metavar="HOST,...",
        multiple=True,
        callback=_hosts,
        help="Answer for these hosts alone (421): example.com, or .example.com with all below it.",
    ),
    click.option("--refuse-cross-site", is_flag=True, help="Refuse writes that pages of other sites make (403)."),
    click.option(
        "--max-body", metavar="SIZE", callback=_size, help="Refuse larger bodies (413): bytes, or 64K, 16M, 1G."
    ),
    click.option("--security-headers", is_flag=True, help="Add the headers of SecurityHeaders() to all responses."),
)


def guard_options(command: F) -> F:
    """Give a command the options of `Guards`, which stand around a program of another library."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
