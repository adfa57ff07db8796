"""Werkzeug's context-local objects, on context variables, and proxies for them."""

from threading import get_ident

from antiphon.dialects.werkzeug.local.manager import LocalManager
from antiphon.dialects.werkzeug.local.proxy import LocalProxy
from antiphon.dialects.werkzeug.local.storage import Local, LocalStack, release_local

__all__ = ["Local", "LocalManager", "LocalProxy", "LocalStack", "get_ident", "release_local"]
