"""Functions that add values to the template context when CONTEXT_PROCESSORS lists them."""

from typing import Any

from antiphon.dialects.kay.conf import current_call
from antiphon.dialects.kay.utils import reverse, url_for


def request(request: Any) -> dict[str, Any]:
    return {"request": request}


def url_functions(request: Any) -> dict[str, Any]:  # noqa: ARG001 - required of context processors
    return {"url_for": url_for, "reverse": reverse}


def i18n(request: Any) -> dict[str, Any]:
    """Return the request's language as ``language_code``."""
    return {"language_code": request.lang}


def media_url(request: Any) -> dict[str, Any]:  # noqa: ARG001 - required of context processors
    """Return the URL paths of media files from the settings, as ``media_url`` and ``internal_media_url``."""
    settings = current_call().app.app_settings
    return {"media_url": settings.MEDIA_URL, "internal_media_url": settings.INTERNAL_MEDIA_URL}
