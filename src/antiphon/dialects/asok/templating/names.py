"""The names that every template of an Asok project knows: those of its request, and what the application shares."""

from typing import Any

from jinja2 import TemplateRuntimeError
from jinja2.utils import missing

from antiphon.features.templates.environment import RequestContext

OF_REQUEST = {
    "__": "__",
    "csrf_input": "csrf_input",
    "csrf_token": "csrf_token_value",
    "errors": "errors",
    "get_flashed_messages": "get_flashed_messages",
    "meta": "meta",
    "nonce": "nonce",
    "old": "old",
    "static": "static",
}
"""Names of templates, and the attributes of the request that they are, which are read when a template uses them."""


class AsokContext(RequestContext):
    """The names that a template knows: its data, shared values, names of the request, and functions."""

    def resolve_of_request(self, request: Any, key: str) -> Any:
        """Return the value of a name that is not among the data, as the request has it, or Jinja's ``missing``."""
        if request is not None:
            if "own_shared" in vars(request) and key in request.own_shared:
                return request.own_shared[key]
            if key in (shared := request.native.shared):
                return shared[key]
            if key in OF_REQUEST:
                return getattr(request, OF_REQUEST[key], missing)
        return self.environment.globals.get(key, missing)


def component(name: str, *_args: Any, **_options: Any) -> Any:
    """Stand in for Asok's components. Raises TemplateRuntimeError."""
    raise TemplateRuntimeError(
        f"the component {name!r} can't be rendered: the Asok dialect has no components;"
        " docs/reference/dialects/asok.md has the list"
    )
