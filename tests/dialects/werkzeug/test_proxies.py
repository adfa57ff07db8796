"""The middleware for proxies and for several applications: the environ becomes what Werkzeug makes of it."""

import werkzeug.middleware.dispatcher
import werkzeug.middleware.proxy_fix
from hypothesis import given
from hypothesis import strategies as st

from antiphon.dialects.werkzeug.middleware import dispatcher, proxy_fix
from tests.helpers.rows import rows

HEADERS = {
    "FOR": ("1.1.1.1", "2.2.2.2, 1.1.1.1", "::1", '"[::1]:80", 3.3.3.3', "a,,b", ""),
    "PROTO": ("https", "http, https", ""),
    "HOST": ("x.org", "x.org:81", "[::1]", "[::1]:82", "a.org, b.org:8", ""),
    "PORT": ("443", "81, 82", ""),
    "PREFIX": ("/p", "/a, /b", ""),
}
SERVER = {
    "REMOTE_ADDR": "9.9.9.9", "wsgi.url_scheme": "http", "HTTP_HOST": "own:8000", "SERVER_NAME": "own",
    "SERVER_PORT": "8000", "SCRIPT_NAME": "/s",
}  # fmt: skip
COUNTS = st.fixed_dictionaries({}, optional={f"x_{name.lower()}": st.integers(0, 2) for name in HEADERS})


@given(
    st.fixed_dictionaries({}, optional={f"HTTP_X_FORWARDED_{name}": st.sampled_from(v) for name, v in HEADERS.items()}),
    COUNTS,
    st.sets(st.sampled_from(("HTTP_HOST", "REMOTE_ADDR", "SCRIPT_NAME"))),
)
def test_proxies_are_believed_as_far_as_they_are_known(headers, counts, absent):
    server = {key: value for key, value in SERVER.items() if key not in absent}
    theirs, ours = {**server, **headers}, {**server, **headers}
    werkzeug.middleware.proxy_fix.ProxyFix(lambda *_: [], **counts)(theirs, None)
    proxy_fix.ProxyFix(lambda *_: [], **counts)(ours, None)
    assert ours == theirs


@rows("scheme", ["javascript", "data", "https:", "HTTPS", "file", "http, javascript", "<b>"])
def test_a_scheme_that_no_server_speaks_is_not_believed(scheme):
    environ = {**SERVER, "HTTP_X_FORWARDED_PROTO": scheme}
    proxy_fix.ProxyFix(lambda *_: [])(environ, None)
    assert environ["wsgi.url_scheme"] == "http"


@rows("script", ["", "/root"])
@rows(
    "path",
        "", "/", "/api", "/api/", "/api/v2/x", "/api/v2x", "/apix", "/other/a", "api", "//api", "api/v2",
        "/api/v2/a/b/c/d", "/a/b/c/d/e/f", "beyond-all/mounts/x",
)  # fmt: skip
def test_the_longest_mount_is_asked(path, script):
    def ask(library):
        def named(name):
            return lambda environ, start: [name, environ["SCRIPT_NAME"], environ["PATH_INFO"]]

        mounts = {"/api": named("api"), "/api/v2": named("v2"), "api": named("bare")}
        environ = {"PATH_INFO": path, "SCRIPT_NAME": script}
        return library.DispatcherMiddleware(named("app"), mounts)(environ, None)

    assert ask(dispatcher) == ask(werkzeug.middleware.dispatcher)
