"""Errors and explanations that help to debug an application."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from antiphon.dialects.flask.globals import _cv_request
from antiphon.dialects.flask.imports import reexports

if TYPE_CHECKING:
    from jinja2 import BaseLoader

    from antiphon.dialects.flask.sansio.app import App
    from antiphon.dialects.flask.sansio.scaffold import Scaffold
    from antiphon.dialects.flask.wrappers import Request


class UnexpectedUnicodeError(AssertionError, UnicodeError):
    """An error for text where bytes were expected, or vice versa."""


class DebugFilesKeyError(KeyError, AssertionError):
    """Raised when a file is read from ``request.files`` although the form was sent without files."""

    def __init__(self, request: "Request", key: str) -> None:
        self.msg = (
            f"request.files has no {key!r}: the form was sent as {request.mimetype!r}, which has no files. Give the"
            ' form enctype="multipart/form-data".'
        )
        if names := ", ".join(repr(each) for each in request.form.getlist(key)):
            self.msg += f" The browser sent names in place of files: {names}"

    def __str__(self) -> str:
        return self.msg


class FormDataRoutingRedirect(AssertionError):
    """Raised when a form is sent to a URL that redirects, since browsers would drop its data."""

    def __init__(self, request: "Request") -> None:
        target = getattr(request.routing_exception, "new_url", "")
        ends_in_slash = target.partition("?")[0] == f"{request.base_url}/"
        reason = ", since the rule ends with a slash" if ends_in_slash else ""
        super().__init__(
            f"A {request.method} request was sent to {request.url!r}, from where routing redirects to {target!r}"
            f"{reason}. Browsers repeat it as GET, and drop the form. Have the form sent to {target!r}, or redirect"
            " with 307 or 308. This is an error only when debugging."
        )


def attach_enctype_error_multidict(request: "Request") -> None:
    """Make ``request.files`` raise DebugFilesKeyError for a name that exists in the form."""
    cls: Any = type(request.files)

    class Explaining(cls):  # type: ignore[misc]  # a subclass of the type that the request has
        def __getitem__(self, key: str) -> Any:
            try:
                return super().__getitem__(key)
            except KeyError as error:
                if key not in request.form:
                    raise
                raise DebugFilesKeyError(request, key).with_traceback(error.__traceback__) from None

    Explaining.__name__, Explaining.__module__ = cls.__name__, cls.__module__
    request.files.__class__ = Explaining


def explain_template_loading_attempts(
    app: "App",
    template: str,
    attempts: "Sequence[tuple[BaseLoader, Scaffold, tuple[str, str | None, Callable[[], bool] | None] | None]]",
) -> None:
    """Log where a template was looked for: each loader, its owner, and the result."""
    lines = [f"Looking for the template {template!r}:"]
    for number, (loader, owner, found) in enumerate(attempts, 1):
        lines.append(f"{number:5}: the loader of {_name_of(owner)}")
        lines += [f"       {line}" for line in _dump_loader_info(loader)]
        lines.append("       -> not found" if found is None else f"       -> found: {found[1] or '<string>'!r}")
    count = sum(found is not None for *_, found in attempts)
    if count != 1:
        lines += _doubts(count)
    app.logger.info("\n".join(lines))


def _doubts(count: int) -> Iterator[str]:
    yield (f"{count} loaders have the template, and the first one is used." if count else "No loader has the template.")
    ctx = _cv_request.get(None)
    if ctx is not None and ctx.request.blueprint is not None:
        yield f"The endpoint belongs to the blueprint {ctx.request.blueprint!r}: is its template_folder the right one?"


def _name_of(owner: "Scaffold") -> str:
    from antiphon.dialects.flask.sansio.app import App
    from antiphon.dialects.flask.sansio.blueprints import Blueprint

    if isinstance(owner, App):
        return f"the application {owner.import_name!r}"
    if isinstance(owner, Blueprint):
        return f"the blueprint {owner.name!r} of {owner.import_name}"
    return repr(owner)


def _dump_loader_info(loader: "BaseLoader") -> Iterator[str]:
    """Describe a loader: yield its class, and its public attributes that are strings, numbers or lists of strings."""
    yield f"class: {type(loader).__module__}.{type(loader).__name__}"
    for name, value in sorted(vars(loader).items()):
        if name.startswith("_"):
            continue
        if isinstance(value, list | tuple) and all(isinstance(each, str) for each in value):
            yield f"{name}:"
            yield from (f"  - {each}" for each in value)
        elif isinstance(value, str | int | float | bool):
            yield f"{name}: {value!r}"


if not TYPE_CHECKING:
    __getattr__ = reexports(__name__)
