"""Tests of views without an application: a configuration, and dummies of requests, resources and users."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from zope.interface import implementer

from antiphon.dialects.pyramid.config import Configurator
from antiphon.dialects.pyramid.config.zca import ZCAConfiguratorMixin
from antiphon.dialects.pyramid.decorator import reify
from antiphon.dialects.pyramid.dummies import (
    DummyModel,
    DummyRendererFactory,
    DummyResource,
    DummyRootFactory,
    DummySecurityPolicy,
    DummySession,
    DummyTemplateRenderer,
    MockTemplate,
)
from antiphon.dialects.pyramid.i18n import LocalizerRequestMixin
from antiphon.dialects.pyramid.interfaces import IRequest
from antiphon.dialects.pyramid.path import caller_package
from antiphon.dialects.pyramid.registry import Registry
from antiphon.dialects.pyramid.request import CallbackMethodsMixin
from antiphon.dialects.pyramid.response import _get_response_factory
from antiphon.dialects.pyramid.security import AuthenticationAPIMixin, SecurityAPIMixin
from antiphon.dialects.pyramid.threadlocal import get_current_registry, manager
from antiphon.dialects.pyramid.url import URLMethodsMixin
from antiphon.dialects.pyramid.util import InstancePropertyMixin
from antiphon.dialects.pyramid.view import ViewMethodsMixin
from antiphon.dialects.webob.acceptparse import create_accept_header

__all__ = [
    "DummyModel", "DummyRendererFactory", "DummyRequest", "DummyResource", "DummyRootFactory", "DummySecurityPolicy",
    "DummySession", "DummyTemplateRenderer", "MockTemplate", "cleanUp", "setUp", "skip_on", "tearDown", "testConfig",
]  # fmt: skip

# Configurations


def setUp(
    registry: Any = None,
    request: Any = None,
    hook_zca: bool = True,
    autocommit: bool = True,
    settings: Any = None,
    package: Any = None,
) -> Configurator:
    """Return a configuration that is current until ``tearDown``, with its own registry and perhaps a request.

    With ``hook_zca``, zope.component finds the registry, if it is installed.
    """
    manager.clear()
    registry = Registry("testing") if registry is None else registry
    package = caller_package() if package is None else package
    config = Configurator(registry=registry, autocommit=autocommit, package=package)
    config._fix_registry()  # noqa: SLF001 - of this package
    if getattr(registry, "settings", None) is None:
        config._set_settings({} if settings is None else settings)  # noqa: SLF001
    if hasattr(registry, "registerUtility"):  # some programs have their own registries
        config._add_defaults(None)  # noqa: SLF001
    config.commit()
    if hook_zca:
        with suppress(ImportError):
            config.hook_zca()
    config.begin(request=request)
    return config


def tearDown(unhook_zca: bool = True) -> None:
    """Undo ``setUp``, and empty its registry."""
    if unhook_zca:
        with suppress(ImportError):
            ZCAConfiguratorMixin().unhook_zca()
    info = manager.pop()
    manager.clear()
    registry: Any = None if info is None else info["registry"]
    if hasattr(registry, "__name__"):
        begin = getattr(registry, "__init__")  # noqa: B009 - type checkers let nobody call it
        with suppress(TypeError):  # some programs have their own registries
            begin(registry.__name__)


def cleanUp(*args: Any, **kw: Any) -> Configurator:  # noqa: N802 - its name
    """Do what ``setUp`` does."""
    if kw.get("package") is None:
        kw["package"] = caller_package()
    return setUp(*args, **kw)


@contextmanager
def testConfig(  # noqa: N802 - its name
    registry: Any = None, request: Any = None, hook_zca: bool = True, autocommit: bool = True, settings: Any = None
) -> Iterator[Configurator]:
    """Return a context manager with a configuration as from ``setUp``."""
    config = setUp(
        registry=registry,
        request=request,
        hook_zca=hook_zca,
        autocommit=autocommit,
        settings=settings,
        package=caller_package(3),
    )
    try:
        yield config
    finally:
        tearDown(unhook_zca=hook_zca)


# Requests


@implementer(IRequest)
class DummyRequest(
    URLMethodsMixin,
    CallbackMethodsMixin,
    InstancePropertyMixin,
    LocalizerRequestMixin,
    SecurityAPIMixin,
    AuthenticationAPIMixin,
    ViewMethodsMixin,
):
    """A request whose attributes can all be given and set. ``params`` are the fields of query and form, and ``post``
    makes it a POST.
    """

    method = "GET"
    application_url = "http://example.com"
    host = "example.com:80"
    domain = "example.com"
    content_length = 0
    query_string = ""
    charset = "UTF-8"
    script_name = ""
    request_iface: Any = IRequest
    _registry: Any = None
    _accept: Any = None

    def __init__(
        self,
        params: Any = None,
        environ: Any = None,
        headers: Any = None,
        path: str = "/",
        cookies: Any = None,
        post: Any = None,
        accept: Any = None,
        **kw: Any,
    ) -> None:
        params = {} if params is None else params
        self.environ = {} if environ is None else environ
        self.headers = {} if headers is None else headers
        self.cookies = {} if cookies is None else cookies
        self.params = self.GET = self.POST = self.marshalled = params
        if post is not None:
            self.method, self.POST = "POST", post
        self.host_url = self.path_url = self.url = self.application_url
        self.path = self.path_info = path
        self.script_name = self.path_qs = self.view_name = ""
        self.body: Any = ""
        self.matchdict: Any = {}
        self.subpath = self.traversed = self.virtual_root_path = ()
        self.context = self.root = self.virtual_root = None
        self.session: Any = DummySession()
        self.accept = accept
        self.__dict__.update(kw)

    @property
    def registry(self) -> Any:
        """The registry that was set, else the current one."""
        return get_current_registry() if self._registry is None else self._registry

    @registry.setter
    def registry(self, registry: Any) -> None:
        self._registry = registry

    @registry.deleter
    def registry(self) -> None:
        self._registry = None

    @property
    def accept(self) -> Any:
        """The media types that the client accepts."""
        return create_accept_header(None) if self._accept is None else self._accept

    @accept.setter
    def accept(self, value: Any) -> None:
        self._accept = create_accept_header(value)

    @accept.deleter
    def accept(self) -> None:
        self._accept = None

    @reify
    def response(self) -> Any:
        """The response for renderers."""
        return _get_response_factory(self.registry)(self)


def skip_on(*platforms: str) -> Any:
    """Return a decorator of tests that do nothing on some systems, by the start of ``os.name``; `pypy` is one."""
    import platform

    is_skipped = any(os.name.startswith(each) for each in platforms)
    is_skipped = is_skipped or ("pypy" in platforms and platform.python_implementation() == "PyPy")

    def decorate(func: Any) -> Any:
        if not is_skipped:
            return func
        return None if isinstance(func, type) else lambda *_, **__: None

    return decorate
