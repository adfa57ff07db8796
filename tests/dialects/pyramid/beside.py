"""Programs that are configured with Pyramid and with the dialect, and are asked the same."""

import re
import sys
import warnings
from collections.abc import Callable, Iterable
from importlib import import_module
from types import ModuleType
from typing import Any
from urllib.parse import unquote, urlencode, urlsplit

from tests.dialects import beside
from tests.dialects.beside import Asked
from tests.dialects.exchanges import error_of

PYRAMID, DIALECT = "pyramid", "antiphon.dialects.pyramid"

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of `cgi` and `pkg_resources`
    import pyramid.config  # noqa: F401


class Package:
    def __init__(self, name: str) -> None:
        self.name = name

    def __getattr__(self, module: str) -> ModuleType:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return import_module(f"{self.name}.{module}")

    def configurator(self, **options: Any) -> Any:
        return self.config.Configurator(package=sys.modules[__name__], **options)


Program = Callable[[Package], Any]


def answers(program: Program, requests: Iterable[Asked], name: str) -> list[Any]:
    """The responses of a program, made with a package, each to a visitor of its own."""
    app = program(Package(name))
    return [answer(app, each) for each in requests]


def answer(app: Any, asked: Asked) -> Any:
    """The response to a request, whose options can also be ``POST`` and ``base_url``, as of `Request.blank`."""
    path, options = (asked, {}) if isinstance(asked, str) else asked
    base, form = urlsplit(options.get("base_url", "http://localhost")), options.get("POST")
    environ = {"wsgi.url_scheme": base.scheme, "SCRIPT_NAME": unquote(base.path, "latin-1")}
    headers = {"Host": base.netloc}
    if form is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        options = {"method": "POST", "body": form if isinstance(form, bytes) else urlencode(form).encode(), **options}
    added = {"headers": {**headers, **options.get("headers", {})}, "environ": {**environ, **options.get("environ", {})}}
    [found] = beside.answers(app, [(path, {**options, **added})])
    return found


NOT_UTF_8 = "URLDecodeError: 'utf-?8' codec can't decode"


def assert_alike(program: Program, asked: Iterable[Asked]) -> None:
    asked = [*asked]
    theirs, ours = answers(program, asked, PYRAMID), answers(program, asked, DIALECT)
    for n, answered in enumerate(theirs):
        if re.match(NOT_UTF_8, answered["raised"]):  # the server's there, and an answer here
            assert ours[n]["status"] == 400
            ours[n] = answered
    beside.assert_alike(asked, theirs, ours)


def outcome(call: Callable[[], Any]) -> Any:
    """What a call gives, or the name of the error that it raises, without its warnings."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return error_of(call)
