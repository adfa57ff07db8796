"""Class-based views."""

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any, ClassVar

from antiphon.dialects.flask.dispatch import waits
from antiphon.dialects.flask.globals import current_app, request

if TYPE_CHECKING:
    from antiphon.dialects.flask import typing as ft

http_method_funcs = frozenset({"delete", "get", "head", "options", "patch", "post", "put", "trace"})
"""The names of a MethodView's methods that handle requests."""


class View:
    """A view, whose subclasses define ``dispatch_request``. ``as_view`` makes the function to be registered."""

    methods: ClassVar[Collection[str] | None] = None
    """The HTTP methods that the view handles; None for GET and the methods that come with it."""
    provide_automatic_options: ClassVar[bool | None] = None
    """True to handle OPTIONS automatically, None to do so unless ``methods`` includes it."""
    decorators: ClassVar[list[Callable[..., Any]]] = []
    """Decorators for the function, the innermost first."""
    init_every_request: ClassVar[bool] = True
    """Make an instance for each request.

    Otherwise, one instance handles all of them, and must not store anything about a request.
    """

    def dispatch_request(self) -> "ft.ResponseReturnValue":
        """Return the response to a request. The values from its path are arguments."""
        raise NotImplementedError

    @classmethod
    def _name_of(cls, method: str) -> str | None:  # noqa: ARG003 - for subclasses
        """Return the name of the function that handles an HTTP method, or None if there is none."""
        return "dispatch_request"

    @classmethod
    def as_view(cls, name: str, *class_args: Any, **class_kwargs: Any) -> "ft.RouteCallable":
        """Return a view function that calls ``dispatch_request``. Its name is also its endpoint.

        The other arguments are passed to the class.
        """
        shared = None if cls.init_every_request else cls(*class_args, **class_kwargs)

        def instance() -> View:
            function: Any = view
            # The class is read from the function: one that replaces it there is called.
            made: View = function.view_class(*class_args, **class_kwargs) if shared is None else shared
            return made

        def view(**kwargs: Any) -> Any:
            return current_app.ensure_sync(instance().dispatch_request)(**kwargs)

        vars(view)["coroutine_function"] = _coroutine_finder(view, instance, shared)
        view.__name__ = name
        view.__module__ = cls.__module__
        for decorator in cls.decorators:
            view = decorator(view)
        view.__name__ = name
        view.__module__ = cls.__module__
        view.__doc__ = cls.__doc__
        _give_attributes(view, cls)
        return view


def _give_attributes(view: Any, cls: type[View]) -> None:
    """Give a view its class, and the attributes from which its rules are made."""
    view.view_class = cls
    view.methods = cls.methods
    view.provide_automatic_options = cls.provide_automatic_options


def _coroutine_finder(
    view: Any, instance: Callable[[], View], shared: View | None
) -> Callable[[Any, str], Callable[..., Any] | None]:
    """Return a function that finds the coroutine function behind a view.

    The dispatch calls that one in place of the view, so no thread has to wait.
    """

    def coroutine_function(called: Any, method: str) -> Callable[..., Any] | None:
        if called is not view:
            return None  # A decorator has copied this attribute to its own function.
        cls: type[View] = view.view_class if shared is None else type(shared)
        name = cls._name_of(method)
        makes_plainly = shared is not None or cls.__init__ is object.__init__  # or it may block
        return getattr(instance(), name) if makes_plainly and name and waits(getattr(cls, name)) else None

    return coroutine_function


class MethodView(View):
    """A view that handles each HTTP method with its own method: ``get``, ``post`` and so on.

    Those that a class defines or inherits are its ``methods``.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "methods" in vars(cls):
            return
        found = {method for base in cls.__bases__ for method in getattr(base, "methods", None) or ()}
        found |= {name.upper() for name in http_method_funcs if hasattr(cls, name)}
        if found:
            cls.methods = found

    def dispatch_request(self, **kwargs: Any) -> "ft.ResponseReturnValue":
        """Return the result of the method for the request; ``get`` handles HEAD if there is no ``head``.

        Raises NotImplementedError for a missing method among ``methods``.
        """
        name = request.method.lower()
        answer = getattr(self, name, None) or (getattr(self, "get", None) if name == "head" else None)
        if answer is None:
            raise NotImplementedError(
                f"{type(self).__qualname__}.methods has {request.method}, but the class has no {name}() to handle it"
            )
        return current_app.ensure_sync(answer)(**kwargs)  # type: ignore[no-any-return]

    @classmethod
    def _name_of(cls, method: str) -> str | None:
        if cls.dispatch_request is not MethodView.dispatch_request:
            return "dispatch_request"
        name = method.lower()
        return next((each for each in (name, "get" if name == "head" else name) if hasattr(cls, each)), None)
