"""Dependencies: typed values of a request that their sources compute on first read, and an application's shared values.

A layer declares a dependency together with its interface, without knowing its source.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, overload
from weakref import ref

from antiphon.explanations import arguments_name_ours, explained

if TYPE_CHECKING:
    from antiphon.request.interfaces import (
        FlashMessages,
        FrameworkValues,
        Language,
        RequestSignature,
        Session,
        TemplateRenderer,
    )
    from antiphon.request.request import Request


T = TypeVar("T")
V = TypeVar("V")
T_co = TypeVar("T_co", covariant=True)
T_contra = TypeVar("T_contra", contravariant=True)


class HasDependencies(Protocol):
    """An object that has values for dependencies: a request."""

    def __getitem__(self, dependency: "ReadableDependency[V]", /) -> V: ...
    def __setitem__(self, dependency: "Dependency[V]", value: V, /) -> None: ...


class ReadableDependency(Protocol[T_co]):
    """A dependency for reading: a dependency on a list can be read where any iterable is accepted."""

    def __get__(self, instance: HasDependencies, owner: type[Any], /) -> T_co: ...
    def not_provided(self, has_app: bool = True) -> RuntimeError: ...


class SettableDependency(Protocol[T_contra]):
    """A dependency that can be set: one whose type is a base class accepts an instance of a subclass."""

    def __set__(self, instance: HasDependencies, value: T_contra, /) -> None: ...


@arguments_name_ours
class Dependency(Generic[T]):
    """A typed value that each request has: ``Tenant = Dependency[TenantModel]("tenant")``, then ``request[Tenant]``.

    ``name`` is for error messages only: two dependencies with the same name are different. ``fix`` is the line of code
    that provides the dependency, such as ``app.use(Tenants())``. ``Recorder`` stores the values of a ``recorded``
    dependency with its requests and restores them on replay; they must be JSON-serializable. Only the library's own
    dependencies, such as ``request.session``, are also attributes of requests.
    """

    __slots__ = ("__orig_class__", "fix", "name", "recorded")  # Dependency[Book]("book") sets the first, its type

    def __init__(self, name: str, *, fix: str = "app.provide(dependency, source)", recorded: bool = False) -> None:
        self.name = name
        self.fix = fix
        self.recorded = recorded

    @overload
    def __get__(self, instance: None, owner: type[Any]) -> "Dependency[T]": ...
    @overload
    def __get__(self, instance: HasDependencies, owner: type[Any]) -> T: ...
    def __get__(self, instance: HasDependencies | None, owner: type[Any]) -> "Dependency[T] | T":
        return self if instance is None else instance[self]

    def __set__(self, instance: HasDependencies, value: T) -> None:
        instance[self] = value

    def not_provided(self, has_app: bool = True) -> RuntimeError:
        """Return the error for reading this dependency if nothing provides it."""
        if has_app:
            return explained(
                "missing-dependency",
                f"nothing provides the dependency {self.name!r} in this application: {self.fix}",
                RuntimeError,
            )
        return explained(
            "missing-dependency",
            f"no application handles this request, so nothing provides the dependency {self.name!r}:"
            f" set it, or have an application provide it with {self.fix}",
            RuntimeError,
        )

    def __repr__(self) -> str:
        return f"<Dependency {self.name!r}>"


class OwnDependency(Dependency[T]):
    __slots__ = ("_attribute",)

    def __set_name__(self, owner: type, name: str) -> None:
        self._attribute = owner, name

    @property
    def __doc__(self) -> str | None:  # type: ignore[override]  # ``help`` reads it from the object
        """The string below the attribute that holds this dependency, which Python itself drops."""
        owner, name = self._attribute
        return _strings_below(owner).get(name)


@lru_cache(maxsize=1)
def _strings_below(owner: type) -> dict[str, str]:
    """Return the strings below the attributes of a class, from its source; empty if that is missing."""
    import ast
    import inspect

    try:
        (found,) = ast.parse(inspect.getsource(owner)).body
    except (OSError, SyntaxError):
        return {}
    return {
        one.target.id: two.value.value
        for one, two in pairwise(getattr(found, "body", ()))
        if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)
        if isinstance(two, ast.Expr) and isinstance(two.value, ast.Constant) and isinstance(two.value.value, str)
    }


class OfRequest:
    """Base class of objects that a request holds and that refer to it weakly, so that both can be freed."""

    __slots__ = ("_request_of",)

    def __init__(self, request: "Request") -> None:
        self._request_of = ref(request)

    @property
    def _request(self) -> "Request":
        """The request. Raises RuntimeError if it is gone."""
        request = self._request_of()
        if request is None:
            raise explained(
                "request-is-gone",
                f"the request of this {type(self).__name__} has ended and is gone: in code that runs after the"
                " request, keep a reference to the request, too",
                RuntimeError,
            )
        return request


def check_dependency(given: object, where: str, fix: str) -> None:
    """Raise TypeError with the fix for anything but a dependency. ``where`` is the code that received the object."""
    if not isinstance(given, Dependency):
        raise explained("not-a-dependency", f"{where} needs a dependency, not {given!r}: {fix}", TypeError)


class SharedValues(OfRequest, Mapping[str, Any]):
    """The values passed to ``App.share``, as one request sees them: ``request.shared("cart")``.

    A function's value is computed on first use, once per request. Templates read this object as a mapping.
    """

    __slots__ = ("_sources", "_values")

    def __init__(self, request: "Request", sources: Mapping[str, Any]) -> None:
        super().__init__(request)
        self._sources = sources
        self._values: dict[str, Any] = {}

    def __call__(self, name: str) -> Any:
        """Return the value shared under the given name. For an unknown name, raises a KeyError that lists the shared
        names.
        """
        return self[name]

    def __getitem__(self, name: str) -> Any:
        values = self._values
        if name not in values:
            if name not in self._sources:
                raise explained("unknown-shared-value", KeyError(self._unknown(name)))
            source = self._sources[name]
            values[name] = source(self._request) if callable(source) else source
        return values[name]

    def forget(self, *names: str) -> None:
        """Forget the values with these names; the next use computes them again."""
        for name in names:
            self._values.pop(name, None)

    def __contains__(self, name: object) -> bool:
        return name in self._sources

    def __iter__(self) -> Iterator[str]:
        return iter(self._sources)

    def __len__(self) -> int:
        return len(self._sources)

    def _unknown(self, name: str) -> str:
        from difflib import get_close_matches

        near = get_close_matches(str(name), self._sources, 1)
        meant = f"; did you mean {near[0]!r}?" if near else ":"
        return f"nothing is shared as {name!r}{meant} app.template_context({name}=...)"

    def __repr__(self) -> str:
        return f"<SharedValues {sorted(self._sources)}>"


class RequestDependencies:
    """The library's own dependencies of a request, as its attributes."""

    session: "Dependency[Session]" = OwnDependency("session", fix="app.use(Sessions(store))")
    """The visitor's data, kept between requests: a ``Session``, which ``app.use(Sessions(store))`` provides.

    If nothing provides it, reading it raises a RuntimeError that shows the line to add.
    """

    flash: "Dependency[FlashMessages]" = OwnDependency("flash", fix="app.use(Flash())")
    """The messages that the next page shows to the visitor: ``request.flash("It is saved.", "success")`` adds one, and
    ``request.flash.take()`` returns them. ``app.use(Flash())`` provides it.

    If nothing provides it, reading it raises a RuntimeError that shows the line to add.
    """

    user: Dependency[Any] = OwnDependency("user", fix="app.use(Users(Bearer(find_user)))")
    """The user whose credentials the request contains, or None; ``app.use(Users(...))`` provides it.

    If nothing provides it, reading it raises a RuntimeError that shows the line to add.
    """

    signature: "Dependency[RequestSignature]" = OwnDependency(
        "signature", fix='app.use(Signatures(keys)), and the option signed_by="partners" of its route'
    )
    """The signature for which the request was accepted, a ``RequestSignature``: ``request.signature.key``. It is set in
    routes that are ``signed_by`` the keys of ``app.use(Signatures(keys))``.

    In any other route, reading it raises a RuntimeError that shows the fix.
    """

    language: "Dependency[Language]" = OwnDependency("language", fix='app.use(Languages("locales", default="en"))')
    """The language of the response, a ``Language``, which ``app.use(Languages(folder))`` provides.

    If nothing provides it, reading it raises a RuntimeError that shows the line to add.
    """

    templates: "Dependency[TemplateRenderer]" = OwnDependency("templates", fix='app.use(Templates("templates"))')
    """The templates, which ``app.use(Templates(folder))`` provides: ``request.templates.render("mail.txt", n=1)``.

    If nothing provides it, reading it raises a RuntimeError that shows the line to add.
    """

    framework: "Dependency[FrameworkValues]" = OwnDependency(
        "framework", fix="App(), or a view of another framework, @view"
    )
    """The user, session and CSRF token of another framework, in one of its views: ``request.framework.user``.

    In an ``App``, they are the application's own, or None if nothing provides them.
    """

    shared: Dependency[SharedValues] = OwnDependency("shared")
    """The values that the application shares, by name: ``request.shared("cart")``. See ``App.share``."""
