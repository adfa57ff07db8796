"""The data of a template: values by name, next to options, whose names begin with an underscore."""

from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from antiphon.explanations import explained


def check_data(maker: Callable[..., Any], data: Mapping[str, Any], status: object = None) -> None:
    """Check that data have names that no option has, or may have in the future.

    Raises TypeError for a name that begins with an underscore, and for a mapping in place of the status.
    """
    if isinstance(status, Mapping):
        name = maker.__qualname__
        message = f"{name} takes data by name, not as a dict: {name}(template, name=value), or **data"
        raise explained("bad-template-option", TypeError(message))
    for name in data:
        if name[:1] == "_":
            _refuse(maker, name)


def _refuse(maker: Callable[..., Any], name: str) -> NoReturn:
    from difflib import get_close_matches
    from inspect import signature

    options = [option for option in signature(maker).parameters if option[0] == "_"]
    near = get_close_matches(name, options, 1)
    meant = f": did you mean {near[0]!r}?" if near else "."
    raise explained(
        "bad-template-option",
        TypeError(
            f"{maker.__qualname__} has no option {name!r}{meant} It has {', '.join(options)}. Names of data can't begin"
            " with an underscore"
        ),
    )
