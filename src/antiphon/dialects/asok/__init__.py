"""The dialect of Asok 0.8: its names and habits, over WSGI, ASGI and RSGI.

Names are imported on first use. What Asok has and this dialect has not says so where it is imported.
"""

import sys
from typing import Any

from antiphon.dialects.asok.absent import ABSENT, reason
from antiphon.lazy import import_on_use, not_offered

__version__ = "0.8.0"
"""The version of Asok whose names and habits these are."""

__all__, _import_name = import_on_use(
    __name__,
    {
        "dialects.asok.app": "Asok",
        "dialects.asok.context": "current_request",
        "dialects.asok.exceptions": (
            "AbortException AsokException ForbiddenError NotFoundError RateLimitExceeded RedirectException"
            " SecurityError UnauthorizedError ValidationError abort redirect"
        ),
        "dialects.asok.forms.form": "Form",
        "dialects.asok.rate_limits": "RateLimit rate_limit",
        "dialects.asok.request": "Request",
        "dialects.asok.response": "Response",
        "dialects.asok.session": "Session SessionStore",
        "dialects.asok.shortcuts": (
            "authenticate back current_user flash login logout render_block render_blocks render_template"
        ),
        "dialects.asok.testing": "TestClient",
        "dialects.asok.uploads": "UploadedFile",
        "dialects.asok.validation.schema": "Field Schema",
        "dialects.asok.validation.validator": "Validator",
    },
)


def __getattr__(name: str) -> Any:
    if name in ABSENT:
        raise not_offered(name, reason(name))
    return _import_name(name)


def __dir__() -> list[str]:
    return sorted({*vars(sys.modules[__name__]), *__all__})
