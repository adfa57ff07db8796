"""The contents of `werkzeug.wsgi`: host, path, URL and body of an environ, and iterables for servers."""

from antiphon.dialects._environ.chunks import ClosingIterator
from antiphon.dialects._environ.places import server_of as _get_server
from antiphon.dialects.werkzeug.wsgi.iterators import (
    FileWrapper,
    RangeWrapper,
    responder,
    wrap_file,
)
from antiphon.dialects.werkzeug.wsgi.limited_stream import LimitedStream, get_content_length, get_input_stream
from antiphon.dialects.werkzeug.wsgi.older import (
    extract_path_info,
    get_script_name,
    make_chunk_iter,
    make_line_iter,
    peek_path_info,
    pop_path_info,
)
from antiphon.dialects.werkzeug.wsgi.places import (
    get_current_url,
    get_host,
    get_path_info,
    get_query_string,
    host_is_trusted,
)

__all__ = [
    "ClosingIterator",
    "FileWrapper",
    "LimitedStream",
    "RangeWrapper",
    "_get_server",
    "extract_path_info",
    "get_content_length",
    "get_current_url",
    "get_host",
    "get_input_stream",
    "get_path_info",
    "get_query_string",
    "get_script_name",
    "host_is_trusted",
    "make_chunk_iter",
    "make_line_iter",
    "peek_path_info",
    "pop_path_info",
    "responder",
    "wrap_file",
]
