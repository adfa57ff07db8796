"""The contents of `werkzeug.utils`: attributes, redirects, files as responses, names of files and objects."""

from antiphon.dialects.werkzeug.utils.accessors import cached_property, environ_property, header_property
from antiphon.dialects.werkzeug.utils.files import send_file, send_from_directory
from antiphon.dialects.werkzeug.utils.imports import ImportStringError, find_modules, import_string
from antiphon.dialects.werkzeug.utils.paths import safe_join
from antiphon.dialects.werkzeug.utils.redirects import append_slash_redirect, redirect
from antiphon.dialects.werkzeug.utils.texts import escape, get_content_type, secure_filename, unescape

__all__ = [
    "ImportStringError",
    "append_slash_redirect",
    "cached_property",
    "environ_property",
    "escape",
    "find_modules",
    "get_content_type",
    "header_property",
    "import_string",
    "redirect",
    "safe_join",
    "secure_filename",
    "send_file",
    "send_from_directory",
    "unescape",
]
