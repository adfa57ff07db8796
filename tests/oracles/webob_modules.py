"""WebOb's modules, imported without its warning."""

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # of the module cgi, which it imports
    import webob
    from webob import acceptparse, byterange, datetime_utils, descriptors

__all__ = ["acceptparse", "byterange", "datetime_utils", "descriptors", "webob"]
