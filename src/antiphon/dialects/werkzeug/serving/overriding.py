"""The names that subclasses of a server and its request handler may not override: no code here would call them."""

from collections.abc import Container, Mapping

WRITE_MIDDLEWARE = "do it in the application, or in WSGI middleware around it"


def refuse_overrides(kind: type, base: type, honoured: Container[str], advice: Mapping[str, str]) -> None:
    """Refuse a subclass that overrides a name of its base that is not honoured.

    ``advice`` says what to do instead of each name; for other names it is WRITE_MIDDLEWARE. Names with two underscores
    may be overridden, and so may all that the base does not have. Raises NotImplementedError.
    """
    classes = kind.__mro__[: kind.__mro__.index(base)]
    for name in (name for each in classes for name in vars(each)):
        is_known = name in advice or hasattr(base, name)
        if is_known and name not in honoured and not name.startswith("__"):
            raise NotImplementedError(
                f"{kind.__qualname__}.{name} has no effect, since Granian receives the requests:"
                f" {advice.get(name, WRITE_MIDDLEWARE)}"
            )
