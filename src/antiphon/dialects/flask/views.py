"""Class-based views."""

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any, ClassVar

from antiphon.dialects.flask.dispatch import waits
from antiphon.dialects.flask.globals import current_app, request

if TYPE_CHECKING:
    from antiphon.dialects.flask import typing as ft

http_method_funcs = frozenset({"delete", "get", "head", "options", "patch", "post", "put", "trace"})
"""The names of a MethodView's request-handling methods."""


class View:
    """A class-based view. Subclasses define ``dispatch_request``, and ``as_view`` makes the function to register."""

    methods: ClassVar[Collection[str] | None] = None
    """The HTTP methods that the view handles; None for GET and the methods it implies."""
    provide_automatic_options: ClassVar[bool | None] = None
    """True to handle OPTIONS automatically; None to do so unless ``methods`` includes OPTIONS."""
    decorators: ClassVar[list[Callable[..., Any]]] = []
    """Decorators for the view function, innermost first."""
    init_every_request: ClassVar[bool] = True
    """True to make an instance for each request.

    Otherwise, one instance handles all requests and must not store anything about a request.
    """

    def dispatch_request(self) -> "ft.ResponseReturnValue":
        """Return the response to a request. The path's values are passed as arguments."""
        raise NotImplementedError

    @classmethod
    def _name_of(cls, method: str) -> str | None:  # noqa: ARG003 - for subclasses
        """Return the name of the function that handles an HTTP method, or None."""
        return "dispatch_request"

    @classmethod
    def as_view(cls, name: str, *class_args: Any, **class_kwargs: Any) -> "ft.RouteCallable":
        """Return a view function that calls ``dispatch_request``. The given name is also its endpoint.

        The other arguments are passed to the class.
        """
        shared = None if cls.init_every_request else cls(*class_args, **class_kwargs)

        def instance() -> View:
            function: Any = view
            # The class is read from the function, so a program can replace it there.
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
    view.view_class = cls
    view.methods = cls.methods
    view.provide_automatic_options = cls.provide_automatic_options


def _coroutine_finder(
    view: Any, instance: Callable[[], View], shared: View | None
) -> Callable[[Any, str], Callable[..., Any] | None]:
    """Return a function that finds the coroutine function behind a view.

    The dispatcher calls that function instead of the view, so no thread has to wait.
    """

    def coroutine_function(called: Any, method: str) -> Callable[..., Any] | None:
        if called is not view:
            return None  # A decorator has copied this attribute to its own function.
        cls: type[View] = view.view_class if shared is None else type(shared)
        name = cls._name_of(method)
        makes_plainly = shared is not None or cls.__init__ is object.__init__  # __init__ may block
        return getattr(instance(), name) if makes_plainly and name and waits(getattr(cls, name)) else None

    return coroutine_function


class MethodView(View):
    """A view that handles each HTTP method with its own method: ``get``, ``post`` and so on.

    ``methods`` consists of those that the class defines or inherits.
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
        """Return the result of the request's method. If there is no ``head``, ``get`` handles HEAD.

        Raises NotImplementedError if ``methods`` includes a method that the class does not define.
        """
        name = request.method.lower()
        answer = getattr(self, name, None) or (getattr(self, "get", None) if name == "head" else None)
        if answer is None:
            raise AssertionError(
                f"Unimplemented method {request.method!r}: {type(self).__qualname__}.methods has it, but there is no"
                f" {name}()"
            )
        return current_app.ensure_sync(answer)(**kwargs)  # type: ignore[no-any-return]

    @classmethod
    def _name_of(cls, method: str) -> str | None:
        if cls.dispatch_request is not MethodView.dispatch_request:
            return "dispatch_request"
        name = method.lower()
        return next((each for each in (name, "get" if name == "head" else name) if hasattr(cls, each)), None)
