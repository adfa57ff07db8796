"""Decorators for views of logged-in users."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from antiphon.dialects.kay.app import is_anonymous
from antiphon.dialects.werkzeug.exceptions import Forbidden, Unauthorized

P = ParamSpec("P")
T = TypeVar("T")
View = Callable[Concatenate[Any, P], T]


def login_required(view: View[P, T]) -> View[P, T]:
    """Restrict a view to logged-in users. Raises Unauthorized (401) for anyone else."""

    @wraps(view)
    def for_users(request: Any, /, *args: P.args, **kwargs: P.kwargs) -> T:
        if is_anonymous(request.user):
            raise Unauthorized
        return view(request, *args, **kwargs)

    return for_users


def admin_required(view: View[P, T]) -> View[P, T]:
    """Restrict a view to users whose ``is_admin`` is true.

    Raises Unauthorized (401) for anonymous users and Forbidden (403) for other users.
    """

    @wraps(view)
    def for_admins(request: Any, /, *args: P.args, **kwargs: P.kwargs) -> T:
        if not getattr(request.user, "is_admin", False):
            raise Forbidden
        return view(request, *args, **kwargs)

    return login_required(for_admins)
