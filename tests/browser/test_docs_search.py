"""What people ask the search of the site for, in words of the field: the right page is among the first three."""

from urllib.parse import urlsplit

import pytest

from tests.helpers.built_site import served_site
from tests.helpers.chromium import Chromium

pytestmark = [pytest.mark.once, pytest.mark.processes, pytest.mark.slow]

QUESTIONS = [
    ("pagination", "how-to/pagination"),
    ("next page link", "how-to/pagination"),
    ("dependency injection", "how-to/add-to-requests"),
    ("dependencies", "how-to/add-to-requests"),
    ("custom 404", "how-to/errors"),
    ("error handler", "how-to/errors"),
    ("JWT", "how-to/jwt"),
    ("bearer token", "how-to/users how-to/jwt"),
    ("OAuth", "how-to/oauth"),
    ("passkeys", "how-to/passkeys"),
    ("WebAuthn", "how-to/passkeys"),
    ("sign in with Google", "how-to/oauth"),
    ("API key", "how-to/users"),
    ("basic auth", "how-to/users how-to/cookies reference/http/authentication"),
    ("password hashing", "how-to/login"),
    ("password reset", "how-to/login how-to/signed-links"),
    ("login", "how-to/login how-to/users"),
    ("OpenAPI", "how-to/openapi reference/features/openapi"),
    ("swagger", "how-to/openapi"),
    ("generate client TypeScript", "how-to/openapi-clients"),
    ("WebSockets", "how-to/websockets reference/websockets"),
    ("server-sent events", "how-to/streams"),
    ("streaming response", "how-to/streams"),
    ("background tasks", "how-to/after-the-response"),
    ("timeout", "how-to/deadlines"),
    ("client disconnect", "how-to/deadlines"),
    ("CORS", "reference/features/security"),
    ("CSRF", "how-to/csrf"),
    ("rate limit", "how-to/rate-limits"),
    ("idempotent requests", "how-to/idempotency"),
    ("trailing slash", "reference/routing"),
    ("path converter", "reference/routing"),
    ("blueprint", "how-to/structure-an-app reference/blueprint"),
    ("middleware", "how-to/middleware"),
    ("before_request", "how-to/middleware reference/app reference/blueprint"),
    ("file upload", "how-to/uploads"),
    ("maximum body size", "reference/limits"),
    ("file download", "how-to/send-files"),
    ("static files", "how-to/static-files"),
    ("X-Accel-Redirect", "how-to/files-behind-nginx"),
    ("gzip", "how-to/compress reference/features/compression"),
    ("ETag", "how-to/cache reference/http/caching"),
    ("cache responses", "how-to/shared-cache how-to/cache"),
    ("templates", "how-to/templates"),
    ("Jinja filters", "how-to/templates reference/features/templates"),
    ("htmx", "how-to/blocks"),
    ("form validation", "how-to/forms"),
    ("flash messages", "how-to/flash"),
    ("session cookie", "how-to/sessions reference/features/sessions"),
    ("Redis", "how-to/sessions reference/features/sessions reference/stores"),
    ("translation", "how-to/languages"),
    ("SQLAlchemy", "how-to/database"),
    ("migrations", "how-to/migrations"),
    ("Alembic", "how-to/migrations"),
    ("test database", "how-to/test-with-a-database"),
    ("transaction", "how-to/transactions"),
    ("multi-tenant", "how-to/tenants"),
    ("API versioning", "how-to/api-versions"),
    ("CSV export", "how-to/csv"),
    ("SSRF", "how-to/fetch-what-clients-name"),
    ("Docker", "how-to/deploy"),
    ("systemd", "how-to/deploy"),
    ("reverse proxy", "how-to/behind-a-proxy"),
    ("health check", "how-to/health"),
    ("access log", "how-to/logs reference/logs"),
    ("OpenTelemetry", "how-to/trace"),
    ("Sentry", "how-to/sentry"),
    ("error tracking", "how-to/sentry"),
    ("environment variables", "how-to/settings reference/settings"),
    ("test client", "how-to/test-an-app reference/testing"),
    ("auto reload", "how-to/develop"),
    ("migrate from Flask", "how-to/from-flask how-to/from-other-frameworks"),
    ("FastAPI", "how-to/from-other-frameworks"),
    ("Pydantic", "reference/typed-values reference/json"),
    ("MCP server", "how-to/mcp"),
    ("S3", "how-to/object-storage"),
    ("GraphQL", "how-to/graphql"),
    ("admin", "how-to/admin"),
    ("path prefix", "how-to/behind-a-proxy"),
    ("AWS Lambda", "how-to/lambda"),
    ("presigned URL", "how-to/object-storage"),
    ("job queue", "how-to/jobs"),
    ("cron", "how-to/jobs"),
    ("Prometheus", "how-to/metrics"),
    ("Grafana dashboard", "how-to/metrics how-to/deploy"),
    ("Kubernetes", "how-to/deploy"),
    ("Sentinel", "how-to/valkey"),
    ("publish subscribe", "how-to/events-to-many"),
    ("broadcast", "how-to/events-to-many"),
    ("roles", "how-to/users"),
    ("permissions", "how-to/users"),
    ("admin only", "how-to/users"),
    ("login attempts", "how-to/login"),
    ("partial update", "reference/typed-values"),
    ("favicon", "how-to/static-files"),
    ("SMTP", "how-to/email"),
    ("send email", "how-to/email"),
    ("search form", "how-to/pagination"),
    ("after commit", "how-to/after-the-response how-to/database"),
    ("unique constraint", "how-to/database"),
    ("database is locked", "how-to/database"),
]  # fmt: skip
HOST = "[...document.querySelectorAll('*')].find(each => each.shadowRoot?.querySelector('input[role=combobox]'))"
ASK = f"""question => {{
  const input = {HOST}.shadowRoot.querySelector('input[role=combobox]');
  input.value = question;
  input.dispatchEvent(new InputEvent('input', {{bubbles: true}}));
}}"""
FOUND = f"() => [...{HOST}.shadowRoot.querySelectorAll('[role=listbox] a')].map(each => each.href)"


@pytest.fixture(scope="module")
def search(chromium, tmp_path_factory):
    """The open search of the site, in a browser."""
    pytest.importorskip("zensical")
    with served_site() as address, Chromium(chromium, tmp_path_factory.mktemp("profile")) as browser:
        page = browser.open(address)
        page.run("() => document.querySelector('.md-search__button').click()")
        page.wait_until(f"() => Boolean({HOST})")
        yield page


def pages_for(page, question):
    """Return the pages that a question finds, in order, each once."""
    page.run(ASK, "")
    page.wait_until(f"() => ({FOUND})().length == 0")
    page.run(ASK, question)
    page.wait_until(f"() => ({FOUND})().length > 0")
    return [*dict.fromkeys(urlsplit(link).path.strip("/") for link in page.run(FOUND))]


def test_a_question_in_common_words_finds_its_page_among_the_first_three(search):
    found = {question: pages_for(search, question)[:3] for question, _ in QUESTIONS}
    missed = {question: found[question] for question, wanted in QUESTIONS if not {*wanted.split()} & {*found[question]}}
    assert missed == {}
