"""Security headers, as the settings say them."""

import pytest

from antiphon.dialects.asok import Asok
from tests.helpers.rows import rows

POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; connect-src 'self';"
    " object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none';"
    " script-src 'self' 'nonce-{}' 'strict-dynamic'"
)
PAGE = "def render(request):\n    return request.nonce"


def test_each_page_has_them_and_a_nonce(serve):
    client = serve({"page.py": PAGE}, base_url="https://shop.example.com")
    first, second = client.get("/"), client.get("/")
    assert first.text != second.text
    assert first.headers["content-security-policy"] == POLICY.format(first.text)
    assert {name: first.headers[name] for name in WANTED} == WANTED
    assert (
        "strict-transport-security" not in serve({"page.py": PAGE}, base_url="http://shop.example.com").get("/").headers
    )


def test_uploads_have_them_and_run_no_script(serve):
    files = {"page.py": PAGE, "src/partials/uploads/a.svg": "<svg onload='alert(1)'/>", "src/partials/css/a.css": ""}
    client = serve(files)
    headers = client.get("/uploads/a.svg").headers
    assert "script-src 'self' 'strict-dynamic'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    for path in ("/uploads/../css/a.css", "/uploads/%2e%2e/%2e%2e/pages/page.py", "/css/..%2f..%2fpages%2fpage.py"):
        assert "nonce" not in client.get(path).text


WANTED = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "strict-origin-when-cross-origin",
    "permissions-policy": "geolocation=(), microphone=(), camera=(), payment=()",
    "strict-transport-security": "max-age=31536000; includeSubDomains",
}


@rows(
    "config, header, value",
    ({"SECURITY_HEADERS": False}, "x-frame-options", None),
    ({"SECURITY_HEADERS": False}, "content-security-policy", None),
    ({"SECURITY_HEADERS": {"X-Frame-Options": "SAMEORIGIN"}}, "x-frame-options", "SAMEORIGIN"),
    ({"SECURITY_HEADERS": {"X-Frame-Options": None}}, "x-frame-options", None),
    ({"SECURITY_HEADERS": {"X-Frame-Options": None}}, "x-content-type-options", "nosniff"),
    ({"SECURITY_HEADERS": {"Content-Security-Policy": "img-src *"}}, "content-security-policy", "img-src *"),
    ({"SECURITY_HEADERS": {"X-Own": "1"}}, "x-own", "1"),
    ({"CSP": {"img-src": "https://img.example"}}, "content-security-policy", "blob: https://img.example;"),
    ({"CSP": {"font-src": ["data:"]}}, "content-security-policy", "; font-src data:"),
    ({"CSP": {"frame-ancestors": "'self'"}}, "content-security-policy", "; frame-ancestors 'self';"),
    ({"CSP_STRICT_STYLES": True}, "content-security-policy", "style-src 'self' 'nonce-"),
    ({"CSP_REPORT_URI": "/reports"}, "content-security-policy", "; report-uri /reports"),
)
def test_the_settings_change_them(serve, config, header, value):
    sent = serve({"page.py": PAGE}, prepare=lambda app: app.config.update(config)).get("/").headers.get(header)
    assert sent is None if value is None else value in sent


@rows(
    "config",
    {"CSP": {"img-src": "a; script-src *"}},
    {"CSP_REPORT_URI": "/reports; script-src *"},
    {"CSP": {"img-src x": "a"}},
)
def test_no_source_is_another_directive(write, config):
    app = Asok(write({"page.py": PAGE}))
    app.config.update(config)
    with pytest.raises(ValueError, match=r"can't be used in|not a directive's name"):
        app.freeze()
