"""Tools for testing views without an application: a configuration, and dummies for requests, resources, renderers and
users.
"""

import copy
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Self

from zope.interface import alsoProvides, implementer

from antiphon.dialects.pyramid.config import Configurator
from antiphon.dialects.pyramid.config.zca import ZCAConfiguratorMixin
from antiphon.dialects.pyramid.decorator import reify
from antiphon.dialects.pyramid.i18n import LocalizerRequestMixin
from antiphon.dialects.pyramid.interfaces import IRequest, ISession
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

_ABSENT: Any = object()


class DummyRootFactory:
    """A root without items."""

    __parent__ = None
    __name__ = None

    def __init__(self, request: Any) -> None:
        if "bfg.routes.matchdict" in request:
            self.__dict__.update(request["bfg.routes.matchdict"])


class DummySecurityPolicy:
    """A policy with a single user, who may do everything or nothing.

    It stores the remembered id in ``remembered``, and sets ``forgotten``.
    """

    def __init__(
        self,
        userid: Any = None,
        identity: Any = None,
        permissive: Any = True,
        remember_result: Any = None,
        forget_result: Any = None,
    ) -> None:
        self.userid = userid
        self._identity = identity
        self.permissive = permissive
        self.remember_result = [] if remember_result is None else remember_result
        self.forget_result = [] if forget_result is None else forget_result

    def identity(self, request: Any) -> Any:  # noqa: ARG002 - the signature of policies
        return self._identity

    def authenticated_userid(self, request: Any) -> Any:  # noqa: ARG002 - the signature of policies
        return self.userid

    def permits(self, request: Any, context: Any, permission: Any) -> Any:  # noqa: ARG002 - the signature of policies
        """Return ``permissive``."""
        return self.permissive

    def remember(self, request: Any, userid: Any, **kw: Any) -> Any:  # noqa: ARG002 - the signature of policies
        """Record the id and return the configured result."""
        self.remembered = userid
        return self.remember_result

    def forget(self, request: Any, **kw: Any) -> Any:  # noqa: ARG002 - the signature of policies
        """Record the call and return the configured result."""
        self.forgotten = True
        return self.forget_result


class DummyTemplateRenderer:
    """A renderer that records its values as attributes and returns fixed text."""

    def __init__(self, string_response: str = "") -> None:
        self._received: dict[str, Any] = {}
        self._string_response = string_response
        self._implementation = MockTemplate(string_response)

    @property
    def string_response(self) -> str:
        return self._string_response

    @string_response.setter
    def string_response(self, response: str) -> None:
        self._string_response = self._implementation.response = response

    def implementation(self) -> "MockTemplate":
        """Return the template, which also records the values."""
        return self._implementation

    def __call__(self, kw: Any, system: Any = None) -> str:
        self._received.update(system or {})
        self._received.update(kw)
        return self.string_response

    def _value(self, name: str) -> Any:
        return self._received.get(name, self._implementation._received.get(name, _ABSENT))  # noqa: SLF001 - same module

    def __getattr__(self, k: str) -> Any:
        value = self._value(k) if "_implementation" in self.__dict__ else _ABSENT
        if value is _ABSENT:
            raise AttributeError(k, name=k, obj=self)
        return value

    def assert_(self, **kw: Any) -> bool:
        """Return True if the renderer was called with these values. Otherwise, raises AssertionError."""
        for name, wanted in kw.items():
            value = self._value(name)
            if value is _ABSENT:
                raise AssertionError(f'A value for key "{name}" was not passed to the renderer')
            if value != wanted:
                raise AssertionError(f"\nasserted value for {name}: {wanted!r}\nactual value: {value!r}")
        return True


class MockTemplate:
    """A template that records the values with which it, or any of its parts, is called."""

    def __init__(self, response: str) -> None:
        self._received: dict[str, Any] = {}
        self.response = response

    def __getattr__(self, attrname: str) -> Self:
        if attrname.startswith("__"):  # Python's special attributes
            raise AttributeError(attrname)
        return self

    def __getitem__(self, attrname: str) -> Self:
        return self

    def __call__(self, *args: Any, **kw: Any) -> str:  # noqa: ARG002 - the signature of templates
        self._received.update(kw)
        return self.response


class DummyRendererFactory:
    """A factory that returns the renderers that tests have added by name.

    For other names, it calls the factory it replaces.
    """

    def __init__(self, name: str, factory: Any) -> None:
        self.name = name
        self.factory = factory
        self.renderers: dict[str, Any] = {}

    def add(self, spec: str, renderer: Any) -> None:
        """Add a renderer under both `package:path` and `path`."""
        self.renderers[spec] = renderer
        self.renderers[spec.partition(":")[2] or spec] = renderer

    def __call__(self, info: Any) -> Any:
        spec = info.name
        found = self.renderers.get(spec, self.renderers.get(spec.partition(":")[2]))
        if found is not None:
            return found
        if self.factory:
            return self.factory(info)
        raise KeyError(f"No testing renderer registered for {spec!r}")


class DummyResource:
    """A resource with a name and a parent that can contain others. Keyword arguments become its attributes."""

    def __init__(
        self,
        __name__: Any = None,  # noqa: A002 - Pyramid's name
        __parent__: Any = None,
        __provides__: Any = None,
        **kw: Any,
    ) -> None:
        self.__name__ = __name__
        self.__parent__ = __parent__
        if __provides__ is not None:
            alsoProvides(self, __provides__)
        self.kw = kw
        self.__dict__.update(**kw)
        self.subs: dict[Any, Any] = {}

    def __setitem__(self, name: Any, val: Any) -> None:
        val.__name__ = name
        val.__parent__ = self
        self.subs[name] = val

    def __getitem__(self, name: Any) -> Any:
        return self.subs[name]

    def __delitem__(self, name: Any) -> None:
        del self.subs[name]

    def get(self, name: Any, default: Any = None) -> Any:
        return self.subs.get(name, default)

    def values(self) -> Any:
        return self.subs.values()

    def items(self) -> Any:
        return self.subs.items()

    def keys(self) -> Any:
        return self.subs.keys()

    def __iter__(self) -> Iterator[Any]:
        return iter(self.subs)

    def __bool__(self) -> bool:
        return True  # even if empty

    def __len__(self) -> int:
        return len(self.subs)

    def __contains__(self, name: object) -> bool:
        return name in self.subs

    def clone(
        self,
        __name__: Any = _ABSENT,  # noqa: A002 - Pyramid's name
        __parent__: Any = _ABSENT,
        **kw: Any,
    ) -> Self:
        """Return a copy with copies of the children, and with additional attributes."""
        name = self.__name__ if __name__ is _ABSENT else __name__
        parent = self.__parent__ if __parent__ is _ABSENT else __parent__
        made = type(self)(name, parent, **{**self.kw, **kw})
        made.subs = copy.deepcopy(self.subs)
        return made


DummyModel = DummyResource


@implementer(ISession)
class DummySession(dict[str, Any]):
    """A session that is not stored."""

    created: Any = None
    new = True

    def changed(self) -> None:
        """Do nothing."""

    def invalidate(self) -> None:
        self.clear()

    def flash(self, msg: Any, queue: str = "", allow_duplicate: bool = True) -> None:
        """Add a message to a queue. Without ``allow_duplicate``, skip a message that is already in the queue."""
        storage = self.setdefault(f"_f_{queue}", [])
        if allow_duplicate or msg not in storage:
            storage.append(msg)

    def pop_flash(self, queue: str = "") -> Any:
        return self.pop(f"_f_{queue}", [])

    def peek_flash(self, queue: str = "") -> Any:
        return self.get(f"_f_{queue}", [])

    def new_csrf_token(self) -> str:
        """Set the token, which is always the same, and return it."""
        token = self["_csrft_"] = "0123456789" * 4
        return token

    def get_csrf_token(self) -> Any:
        token = self.get("_csrft_")
        return self.new_csrf_token() if token is None else token


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
    """Return a configuration that is current until ``tearDown``, with its own registry and, if given, a request.

    With ``hook_zca``, zope.component also uses this registry if it is installed.
    """
    manager.clear()
    registry = Registry("testing") if registry is None else registry
    package = caller_package() if package is None else package
    config = Configurator(registry=registry, autocommit=autocommit, package=package)
    config._fix_registry()  # noqa: SLF001 - same package
    if getattr(registry, "settings", None) is None:
        config._set_settings({} if settings is None else settings)  # noqa: SLF001
    if hasattr(registry, "registerUtility"):  # some programs use their own registry class
        config._add_defaults(None)  # noqa: SLF001
    config.commit()
    if hook_zca:
        with suppress(ImportError):
            config.hook_zca()
    config.begin(request=request)
    return config


def tearDown(unhook_zca: bool = True) -> None:
    """Undo ``setUp`` and empty its registry."""
    if unhook_zca:
        with suppress(ImportError):
            ZCAConfiguratorMixin().unhook_zca()
    info = manager.pop()
    manager.clear()
    registry: Any = None if info is None else info["registry"]
    if hasattr(registry, "__name__"):
        begin = getattr(registry, "__init__")  # noqa: B009 - type checkers reject a direct call
        with suppress(TypeError):  # some programs use their own registry class
            begin(registry.__name__)


def cleanUp(*args: Any, **kw: Any) -> Configurator:  # noqa: N802 - Pyramid's name
    if kw.get("package") is None:
        kw["package"] = caller_package()
    return setUp(*args, **kw)


@contextmanager
def testConfig(  # noqa: N802 - Pyramid's name
    registry: Any = None, request: Any = None, hook_zca: bool = True, autocommit: bool = True, settings: Any = None
) -> Iterator[Configurator]:
    """Return a context manager for a configuration like the one that ``setUp`` returns."""
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
    """A request on which any attribute can be given or set.

    ``params`` are the fields of the query and form. With ``post``, it is a POST request.
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
        """The registry that was set, or the current one."""
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
        return _get_response_factory(self.registry)(self)


def skip_on(*platforms: str) -> Any:
    """Return a decorator that skips tests on some systems, given as prefixes of ``os.name`` or as `pypy`."""
    import platform

    is_skipped = any(os.name.startswith(each) for each in platforms)
    is_skipped = is_skipped or ("pypy" in platforms and platform.python_implementation() == "PyPy")

    def decorate(func: Any) -> Any:
        if not is_skipped:
            return func
        return None if isinstance(func, type) else lambda *_, **__: None

    return decorate
