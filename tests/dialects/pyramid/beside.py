"""Programs that are configured with Pyramid and with the dialect, and are asked the same."""

import re
import sys
import warnings
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from types import ModuleType
from typing import Any

PYRAMID, DIALECT = "pyramid", "antiphon.dialects.pyramid"

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of `cgi` and `pkg_resources`
    import pyramid.config  # noqa: F401


class Package:
    """Pyramid, or the dialect: its modules as attributes."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __getattr__(self, module: str) -> ModuleType:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return import_module(f"{self.name}.{module}")

    def configurator(self, **options: Any) -> Any:
        return self.config.Configurator(package=sys.modules[__name__], **options)


Program = Callable[[Package], Any]
Asked = str | tuple[str, Mapping[str, Any]]


def answers(program: Program, asked: Iterable[Asked], name: str) -> list[Any]:
    """What the program answers, made with a package: status, headers, body; or the exception that it raises."""
    package = Package(name)
    app = program(package)
    return [answer(package, app, each) for each in asked]


def answer(package: Package, app: Any, asked: Asked) -> Any:
    path, options = (asked, {}) if isinstance(asked, str) else asked
    request = package.request.Request.blank(path, **options)
    try:
        response = request.get_response(app)
    except Exception as error:
        return type(error).__name__, str(error)
    return response.status, sorted(response.headerlist), response.body


NOT_UTF_8 = re.compile("'utf-?8' codec can't decode")


def assert_alike(program: Program, asked: Iterable[Asked]) -> None:
    asked = [*asked]
    theirs, ours = answers(program, asked, PYRAMID), answers(program, asked, DIALECT)
    for n, (error, *told) in enumerate(theirs):
        if error == "URLDecodeError" and NOT_UTF_8.match(told[0]):  # the server's there, and an answer here
            assert ours[n][0] == "400 Bad Request"
            ours[n] = theirs[n]
    assert dict(zip(map(repr, asked), ours, strict=True)) == dict(zip(map(repr, asked), theirs, strict=True))
