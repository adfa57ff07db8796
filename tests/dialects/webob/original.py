"""WebOb itself, which imports a module that Python 3.11 and 3.12 warn of."""

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import webob
    from webob import (
        acceptparse,
        byterange,
        cachecontrol,
        client,
        compat,
        cookies,
        datetime_utils,
        dec,
        descriptors,
        etag,
        exc,
        headers,
        multidict,
        request,
        response,
        static,
        util,
    )

__all__ = [
    "acceptparse", "byterange", "cachecontrol", "client", "compat", "cookies", "datetime_utils", "dec", "descriptors",
    "etag", "exc", "headers", "multidict", "request", "response", "static", "util", "webob",
]  # fmt: skip
