"""The options of `antiphon run` that guard programs written for other libraries."""

import re
from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

_UNITS = {"": 0, "K": 10, "M": 20, "G": 30}


def _hosts(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    hosts = tuple(host for value in values for host in value.split(","))
    if hosts:
        from antiphon.app.planning.request_checks import TrustedHosts

        try:
            TrustedHosts(hosts)
        except ValueError as error:
            raise click.BadParameter(f"{error}.", context, parameter) from None
    return hosts


def size_in_bytes(context: click.Context, parameter: click.Parameter, value: str | None) -> int | None:
    """Return the bytes of a size such as 64K. Raises click.BadParameter."""
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
        help="Serve only these hosts (else 421): example.com, or .example.com for all its subdomains, too.",
    ),
    click.option("--refuse-cross-site", is_flag=True, help="Refuse writes by pages on other sites (403)."),
    click.option(
        "--max-body", metavar="SIZE", callback=size_in_bytes, help="Refuse larger bodies (413): bytes, or 64K, 16M, 1G."
    ),
    click.option("--security-headers", is_flag=True, help="Add the headers of SecurityHeaders() to all responses."),
)


def guard_options(command: F) -> F:
    """Add to a command the options for `Guards`, which apply to programs of other libraries."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
