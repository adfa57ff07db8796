"""What people ask the documentation, in their own words, and the pages of which one answers it."""


def _read(table):
    """Return the questions of a table, each with its right pages: `pages: question; question | pages: question`."""
    entries = [entry.split(": ", 1) for entry in " ".join(table.split()).split(" | ")]
    return [(question, pages) for pages, questions in entries for question in questions.split("; ")]


def missed(questions, found):
    """Return the questions of which no right page is among the first three that are found, with these three."""
    firsts = {each: found(each)[:3] for each, _ in questions}
    return {each: firsts[each] for each, pages in questions if not {*pages.split()} & {*firsts[each]}}


WORDS = _read("""
explanation/compared explanation/which-server how-to/serve: performance | explanation/compared how-to/rate-limits:
Flask-Limiter | explanation/versions: Windows | how-to/add-to-requests: dependency injection; dependencies |
how-to/admin: admin | how-to/after-the-response: background tasks | how-to/after-the-response how-to/database
how-to/sqlalchemy: after commit | how-to/after-the-response how-to/jobs: background job | how-to/api-changes: breaking
change | how-to/api-versions: API versioning | how-to/api-with-etags: partial update; optimistic locking; CRUD API |
how-to/audit: BOLA; GDPR personal data | how-to/behind-a-proxy: reverse proxy; path prefix; X-Forwarded-For; ProxyFix |
how-to/behind-a-proxy reference/request: client IP | how-to/behind-a-proxy reference/routing reference/app:
ALLOWED_HOSTS; foreign host 421 | how-to/blocks: htmx; AJAX | how-to/cache reference/http/caching: ETag |
how-to/compress reference/features/compression: gzip | how-to/cors: CORS; preflight; Access-Control-Allow-Origin;
localhost:3000 blocked | how-to/csrf: CSRF | how-to/csv: CSV export; Excel; charset csv | how-to/database
how-to/sqlalchemy: SQLAlchemy; unique constraint; database is locked; Flask-SQLAlchemy; Postgres | how-to/deadlines:
timeout; client disconnect | how-to/debug: traceback in browser | how-to/deploy: Docker; Heroku | how-to/systemd:
systemd; zero downtime | how-to/kubernetes: Kubernetes | how-to/nginx: nginx | how-to/develop: auto reload |
how-to/email: SMTP; send email | how-to/errors: custom 404; error handler; exception handler | how-to/events-to-many:
publish subscribe; broadcast | how-to/fetch-what-clients-name: SSRF | how-to/files-behind-nginx: X-Accel-Redirect |
how-to/flash: flash messages | how-to/forms: FlaskForm; form validation; WTForms | how-to/from-django: migrate from
Django | how-to/from-fastapi explanation/contracts how-to/openapi: response_model | how-to/from-fastapi
how-to/add-to-requests how-to/from-other-frameworks: Depends | how-to/from-fastapi how-to/from-other-frameworks:
FastAPI | how-to/from-flask how-to/from-flask-by-blueprint how-to/from-other-frameworks: migrate from Flask |
how-to/graphql: GraphQL | how-to/health: health check | how-to/idempotency: idempotent requests; double submit |
how-to/jobs: job queue; Celery; periodic task | how-to/json-in-forms: FormData JSON.stringify; file and JSON together |
how-to/jwt: JWT | how-to/jwt how-to/oauth: Keycloak | how-to/kept-requests: replay a failed request; reproduce a
production error; regression test from an error | how-to/lambda: AWS Lambda; serverless | how-to/languages:
translation; i18n | how-to/login: password hashing; brute force; forgot password; remember me | how-to/login
how-to/sessions: remember me | how-to/accounts: password reset | how-to/login how-to/users: login | how-to/logs:
correlation id; structlog | how-to/logs reference/logs: access log | how-to/mcp: MCP server | how-to/metrics:
Prometheus; monitoring | how-to/middleware: middleware | how-to/middleware reference/app reference/blueprint:
before_request | how-to/migrations: migrations | how-to/money how-to/languages: currency | how-to/money
reference/typed-values: Decimal | how-to/mount: WSGI in ASGI | how-to/oauth: OAuth; sign in with Google; OIDC |
how-to/object-storage: S3; presigned URL | how-to/openapi: swagger | how-to/openapi reference/features/openapi: OpenAPI
| how-to/openapi-clients: generate client TypeScript | how-to/overload: server overload; load shedding; traffic spike |
how-to/pages-and-api: HTML and JSON | how-to/pagination: pagination; next page link; infinite scroll | how-to/passkeys:
passkeys; WebAuthn | how-to/rate-limits: rate limit; throttling | how-to/runs: stream LLM tokens; ChatGPT streaming |
how-to/send-files: file download | how-to/send-files how-to/from-other-frameworks: send_file | how-to/sentry: Sentry;
error tracking | how-to/serve: graceful shutdown | how-to/serve how-to/behind-a-proxy how-to/deploy: HTTPS |
how-to/sessions reference/features/sessions: session cookie | how-to/sessions reference/features/sessions
reference/stores: Redis | how-to/settings: dotenv | how-to/settings reference/settings: environment variables |
how-to/shared-cache: invalidate cache | how-to/shared-cache how-to/cache: cache responses | how-to/signed-links:
unsubscribe link | how-to/static-files: static files; favicon; single-page app; React build; WhiteNoise |
how-to/streams: server-sent events; streaming response; SSE | how-to/structure-an-app how-to/from-fastapi: APIRouter |
how-to/structure-an-app reference/blueprint: blueprint | how-to/tables: search form; full text search |
how-to/templates: templates | how-to/templates reference/features/templates: Jinja filters | how-to/tenants:
multi-tenant | how-to/test-an-app: session_transaction; pytest | how-to/test-an-app how-to/from-fastapi
how-to/from-other-frameworks: dependency_overrides | how-to/test-an-app reference/testing: test client |
how-to/test-with-a-database: test database | how-to/test-with-a-database how-to/database how-to/sqlalchemy:
AsyncSession | how-to/trace: OpenTelemetry | how-to/transactions: transaction | how-to/settings: pydantic-settings |
how-to/uploads: file upload | how-to/uploads how-to/forms: FileField; fileallowed filesize validator | how-to/uploads
how-to/from-fastapi: UploadFile | how-to/api-keys: API key | how-to/roles: roles; permissions; admin only; RBAC |
how-to/users: get_current_user; authentication | how-to/test-an-app: testing | how-to/accounts: register; verify email
address; forgot password; account activation | how-to/users reference/http/authentication: basic auth | how-to/users
how-to/jwt reference/features/users: bearer token | how-to/valkey: Sentinel | how-to/webhooks: Stripe webhook |
how-to/webhooks how-to/signed-links: verify signature; HMAC | how-to/websockets: socket.io | how-to/websockets
how-to/events-to-many: realtime | how-to/websockets reference/websockets: WebSockets | how-to/publish-a-feature: custom
command | how-to/write-a-feature how-to/from-flask: Flask extension | reference/app how-to/serve: lifespan startup |
reference/app how-to/settings how-to/sessions how-to/signed-links: secret key | reference/extras: pip install |
how-to/security-headers reference/features/security explanation/safety: Content-Security-Policy |
reference/features/templates how-to/templates how-to/from-other-frameworks: render_template | reference/json: custom
JSON encoder | reference/limits: maximum body size | reference/limits reference/bodies: 413 | reference/return-values
how-to/from-other-frameworks reference/json: jsonify | reference/routing: trailing slash; path converter; reverse URL |
reference/typed-values reference/json: Pydantic | reference/typed-values reference/request how-to/from-fastapi: query
parameters | tutorial/1-one-file: hello world; quickstart | how-to/debug how-to/serve: memory leak find; memory usage
grows | how-to/rate-limits: block an ip address | how-to/trace how-to/debug: profile a slow handler |
how-to/static-files: robots.txt | reference/features/security: content security policy nonce | how-to/security-headers
explanation/safety reference/features/security: csp inline script blocked; hsts; clickjacking | how-to/develop: type
check with mypy; mypy complains about handler | reference/return-values: return xml instead of json
""")
SENTENCES = _read("""
explanation/compared how-to/from-fastapi: how does it compare to fastapi in speed | explanation/many-machines: are
global variables safe, how do I share data between requests | explanation/many-machines reference/stores
how-to/add-to-requests: sharing objects across multiple workers | how-to/after-the-response: execute a function after
the view returns a response | how-to/after-the-response how-to/jobs: making an asynchronous background task; run a task
in the background without celery | how-to/api-with-etags how-to/races how-to/transactions: avoid race conditions when
two requests update the same row | how-to/api-with-etags reference/fields reference/typed-values: make a field optional
for PATCH | how-to/behind-a-proxy: links have http instead of https behind a load balancer | how-to/behind-a-proxy
how-to/deploy how-to/serve how-to/files-behind-nginx: 502 bad gateway with nginx | how-to/behind-a-proxy
reference/request reference/http/clients: get IP address of visitors | how-to/cache reference/http/caching: how to
force the browser not to cache a page | how-to/compress how-to/static-files: gzip static assets | how-to/cookies
reference/http/cookies how-to/sessions: cookie not being set in Chrome samesite | how-to/cookies reference/http/cookies
reference/response: delete a cookie | how-to/csrf how-to/cors explanation/safety how-to/guards reference/app: reject
non-ajax or cross-origin requests | how-to/csrf reference/features/flash-and-csrf: CSRF verification failed |
how-to/database how-to/sqlalchemy: connect to MySQL with a connection pool | how-to/database how-to/sqlalchemy
how-to/serve: too many database connections | how-to/database how-to/sqlalchemy how-to/transactions: sqlalchemy session
closed detached instance | how-to/deadlines: cancel the work when the user leaves | how-to/debug: debug in the browser
with an interactive traceback | how-to/deploy: systemd unit file | how-to/deploy how-to/serve
explanation/many-machines: deploy without downtime | how-to/deploy how-to/serve reference/command: app in a docker
container is not reachable from outside | how-to/develop: auto reloading the app upon code changes | how-to/develop
how-to/serve reference/command: make the dev server visible across the network | how-to/develop reference/command
reference/routing: get a list of all routes defined in the app | how-to/email: how to send HTML emails with attachments
| how-to/errors: catch all exceptions globally; custom 404 page | how-to/errors reference/http/errors
reference/problems: throw an error with a message for the client | how-to/errors reference/problems
how-to/pages-and-api: customise the response for validation errors | how-to/events-to-many how-to/streams
how-to/websockets: send an event to all connected browsers | how-to/forms reference/request reference/typed-values
reference/uploads: how do I read form fields sent by POST | how-to/from-django how-to/mount-django: does it work with
django orm | how-to/health how-to/deploy: run on kubernetes with liveness probe | how-to/jobs: schedule a function to
run every hour; retry a failed task | how-to/json-in-forms: how to post a file and JSON data in one request |
how-to/jwt how-to/oauth: refresh an expired JWT token | how-to/languages reference/features/languages: dates in the
user's time zone and language | how-to/login how-to/rate-limits: block a user after too many failed logins |
how-to/login how-to/sessions: log out the user and clear the session | how-to/login how-to/accounts: reset password by
email | how-to/login how-to/users: get the currently logged in user in a view | how-to/login how-to/users
tutorial/5-users: make a page that only logged in users can open | how-to/logs: logging to a file | how-to/logs
reference/logs: show request id in logs | how-to/metrics how-to/logs how-to/trace: measure response time of each route
| how-to/middleware how-to/add-to-requests how-to/from-flask: how to write a custom decorator for routes |
how-to/middleware reference/response reference/app reference/features/security: add custom headers to every response |
how-to/migrations how-to/database how-to/sqlalchemy tutorial/4-database: create tables on startup | how-to/oauth
how-to/jwt: single sign-on with azure | how-to/openapi reference/features/openapi: hide an endpoint from the swagger
docs | how-to/openapi-clients: typescript types for my api | how-to/passkeys how-to/login how-to/totp: two factor
authentication | how-to/runs how-to/jobs how-to/streams: show progress of a long running task | how-to/runs
how-to/streams: stream the answer of chatgpt to the browser | how-to/send-files: serve a video so that seeking works |
how-to/send-files how-to/files-behind-nginx how-to/signed-links: protect downloads so only the owner gets the file |
how-to/send-files reference/return-values reference/response: return an in-memory image as a response | how-to/sentry:
report exceptions to sentry | how-to/serve explanation/which-server: can I serve multiple clients with a single worker,
multi-threaded | how-to/serve explanation/which-server how-to/add-to-requests: API calls run in serial instead of
parallel; sync or async handlers, which is faster | how-to/serve explanation/which-server how-to/deploy: what server
should I use in production | how-to/serve explanation/which-server how-to/deploy reference/servers: is the bundled
server safe to use in production | how-to/serve how-to/deadlines explanation/which-server: my app blocks while waiting
for an external API | how-to/serve how-to/develop how-to/deploy: run the app over https locally | how-to/sessions
reference/features/sessions: session data is lost between requests; how long does a session last | how-to/sessions
reference/features/sessions reference/stores how-to/valkey: store sessions in redis | how-to/settings how-to/sessions
reference/settings: where to put the secret key | how-to/settings: read environment variables from a .env file |
how-to/settings reference/settings: different configuration for development and production | how-to/signed-links: link
that expires after an hour | how-to/static-files: how to serve a React frontend from the backend | how-to/streams
reference/return-values: streaming data from a generator | how-to/structure-an-app: best practices for structuring a
project | how-to/structure-an-app reference/blueprint how-to/behind-a-proxy reference/routing: add a prefix to all
routes | how-to/structure-an-app tutorial/4-database: circular import between app and models | how-to/templates:
passing HTML to a template | how-to/templates explanation/safety: escape html entered by users to avoid XSS |
how-to/templates how-to/pages tutorial/2-pages: where do I put my html files | how-to/templates
reference/features/templates: change the delimiters of jinja | how-to/templates reference/features/templates
tutorial/2-pages: include another template | how-to/test-an-app: override a dependency in tests; mock an external
service in tests | how-to/test-an-app how-to/login how-to/users reference/testing: unit test a route that needs login |
how-to/test-an-app reference/testing: upload a file in a test | how-to/trace how-to/debug: find out which part of a
request is slow | how-to/transactions how-to/database how-to/sqlalchemy: roll back the transaction if the handler fails
| how-to/uploads how-to/forms: check the extension of an uploaded file | how-to/uploads reference/uploads: save an
uploaded image to disk | how-to/uploads reference/uploads reference/bodies: upload big files without filling memory |
how-to/api-keys: require an API key in a header | how-to/websockets how-to/behind-a-proxy how-to/deploy: my websocket
closes after a minute behind nginx | how-to/websockets reference/testing reference/websockets how-to/test-an-app: test
websockets | how-to/websockets reference/websockets: authenticate a websocket connection | how-to/websockets
reference/websockets how-to/events-to-many: send a websocket message to a specific client | reference/app how-to/jobs
how-to/add-to-requests how-to/serve: run code after the application has started | reference/bodies reference/request:
get the raw request body | reference/features/compression how-to/uploads how-to/resumable-uploads: upload progress bar
| reference/fields reference/typed-values reference/json: rename json fields to camelCase | reference/handlers
how-to/add-to-requests: access the request object outside of a view | reference/http/urls reference/response
reference/return-values reference/routing: redirecting to a URL | reference/json reference/return-values: return JSON
with non-ascii characters | reference/limits reference/bodies how-to/uploads: 413 request entity too large |
reference/request reference/bodies reference/typed-values reference/json: get the data received in a request |
reference/return-values reference/fields how-to/from-fastapi reference/json: hide a field from the response |
reference/return-values reference/response: how to return HTTP status code 201; set the status code and headers of a
response | reference/routing: can I have optional URL parameters; regular expressions in URL routing; capture arbitrary
paths at one route | reference/routing how-to/from-other-frameworks how-to/from-flask how-to/templates: create dynamic
URLs with url_for | reference/routing reference/typed-values reference/request: how can I get the named parameters from
a URL | reference/typed-values reference/http/multidicts: accept a list of values for the same query parameter |
reference/typed-values reference/return-values reference/json: return pydantic models from a handler
""")
"""Questions that people ask about other frameworks: the right page is found for 57 of 60."""
STRANGERS = _read("""
explanation/glossary explanation/questions explanation/which-server how-to/add-to-requests how-to/serve
tutorial/1-one-file: what does async def do and do I need it | explanation/many-machines how-to/shared-cache
how-to/valkey reference/stores: several instances should share one cache | explanation/safety how-to/behind-a-proxy
reference/app reference/routing: host header injection | explanation/safety how-to/compress reference/bodies
reference/limits: zip bomb decompression of request body | explanation/safety how-to/cookies how-to/sessions
reference/http/cookies: are cookies HttpOnly and SameSite by default | explanation/safety how-to/sessions
reference/features/own-stores reference/stores: insecure deserialization with pickle | explanation/safety
reference/routing: ReDoS catastrophic backtracking in route patterns | explanation/versions how-to/api-changes: upgrade
breaks my app, is the API stable | how-to/add-to-requests how-to/database how-to/sqlalchemy how-to/tenants: multiple
database connections | how-to/add-to-requests how-to/database how-to/sqlalchemy reference/handlers: how to avoid
creating multiple database sessions when using dependencies | how-to/after-the-response how-to/jobs how-to/serve
reference/app: how can I add a background thread | how-to/after-the-response how-to/send-files how-to/uploads
reference/uploads: delete an uploaded file after downloading it | how-to/behind-a-proxy: nginx real ip behind reverse
proxy | how-to/behind-a-proxy how-to/deadlines how-to/deploy how-to/files-behind-nginx how-to/serve: nginx 504 gateway
timeout | how-to/behind-a-proxy how-to/deploy: mixed content https docker container behind nginx proxy |
how-to/behind-a-proxy how-to/deploy how-to/serve reference/command: listen on a unix socket instead of TCP |
how-to/blocks: calling view from ajax | how-to/blocks how-to/templates reference/features/templates: send data from
python to javascript in a page | how-to/cache reference/http/caching: how to disable cache in view | how-to/cors
reference/features/security: solve cross origin resource sharing | how-to/csv: writing a csv | how-to/csv
reference/json reference/return-values: how to return data in JSON format | how-to/database how-to/sqlalchemy: dealing
with database disconnects pool_pre_ping; sqlite set check_same_thread false | how-to/database how-to/sqlalchemy
how-to/transactions: sqlalchemy database locks | how-to/debug how-to/develop how-to/templates: page does not change
after I edit a template | how-to/debug how-to/logs how-to/serve reference/logs: where do I see why a worker crashed |
how-to/deploy how-to/health: kubernetes readiness during startup | how-to/deploy how-to/send-files: download file from
application running in docker container | how-to/deploy how-to/serve: run as non-root user on port 80 | how-to/deploy
how-to/serve reference/command: graceful reload of code with SIGHUP | how-to/email: adding a contact page that sends
mail | how-to/errors reference/http/errors reference/problems reference/response reference/return-values: how to send a
custom http status message | how-to/events-to-many how-to/streams how-to/websockets reference/websockets: real time
data streaming using websockets | how-to/events-to-many how-to/valkey how-to/websockets: websockets with redis behind
nginx | how-to/forms reference/bodies reference/request reference/typed-values: get the data received in a request |
how-to/forms reference/features/forms tutorial/3-forms: show error message next to input field | how-to/from-flask
reference/json reference/return-values tutorial/1-one-file: return json response from view | how-to/graphql: creating a
graphql server | how-to/jwt how-to/users reference/features/users: token based authentication | how-to/login
how-to/rate-limits: brute force protection of the login form | how-to/login how-to/users reference/features/users
tutorial/5-users: redirect to login page if user not logged in | how-to/logs reference/logs: adding python logging to
endpoints hosted on docker doesn't display logs; configure logging for a project; json log output for loki or
elasticsearch | how-to/object-storage: setup amazon s3 for uploads | how-to/pagination how-to/tables
reference/typed-values tutorial/1-one-file: simple query search api | how-to/rate-limits
reference/features/rates-and-writes: rate limiter | how-to/static-files: why do I get 404 for my css file |
how-to/static-files tutorial/2-pages: add css to website | how-to/structure-an-app: directory structures for large apps
| how-to/templates tutorial/2-pages: using for loop in a html template | how-to/test-an-app reference/testing: how to
send POST data to the app using pytest; testing endpoints without spinning up a server | how-to/uploads
reference/uploads tutorial/6-pictures: loading image from request files attribute into PIL image; make thumbnails of
uploaded pictures; resize an image | how-to/api-keys: api key authentication | how-to/webhooks: integrate stripe
checkout webhooks | reference/blueprint reference/routing: adding custom url map converters to blueprint objects |
reference/bodies reference/json reference/request reference/typed-values: how to check request body empty or not |
reference/limits: 431 request header fields too large
""")
"""Titles of questions about other frameworks on public sites, and what operators and security reviewers ask."""
FROM_FEATURES = _read("""
explanation/safety how-to/uploads reference/uploads: make the name of an uploaded file safe | how-to/add-to-requests
how-to/after-the-response how-to/middleware reference/request: change the response of only this request from inside the
handler | how-to/add-to-requests how-to/templates reference/features/templates: make a variable available in all
templates | how-to/add-to-requests reference/handlers: keep a value for the rest of the request |
how-to/after-the-response: run some code when the response has been sent completely | how-to/api-with-etags
how-to/cache reference/http/caching reference/response: set Last-Modified from the file's modification time |
how-to/api-with-etags how-to/cache reference/response: respond 304 if nothing changed | how-to/api-with-etags
how-to/errors reference/http/errors: respond with 412 precondition failed | how-to/behind-a-proxy how-to/blocks
reference/request reference/routing: build the link to a page from its function name | how-to/behind-a-proxy
reference/http/urls reference/request reference/routing: get the host and scheme of the current url without the path |
how-to/blocks how-to/pages reference/features/blocks: render only one block of a template | how-to/cache
reference/headers reference/http/caching reference/response: Vary header | how-to/cache reference/http/caching
reference/response: tell browsers to keep a response for an hour | how-to/compress how-to/from-other-frameworks
reference/bodies reference/limits: client sends a gzip compressed body | how-to/cookies how-to/sessions
reference/http/cookies reference/response: share a cookie with all subdomains | how-to/cookies how-to/signed-links
reference/signing: store a value in a cookie that users can't tamper with | how-to/users reference/http/authentication:
ask the browser for a user name and password popup | how-to/cookies reference/headers reference/http/content
reference/response: change the content type of a response | how-to/cookies reference/http/cookies reference/response:
keep javascript from reading my cookie; make a cookie expire after a week | how-to/csrf
reference/features/flash-and-csrf: where does the csrf token go in a fetch call | how-to/systemd: start the app at boot
| how-to/errors how-to/redirects how-to/from-other-frameworks reference/http/errors reference/response: redirect to
another page; redirect permanently with 301 | how-to/errors how-to/pages-and-api reference/app: show my own page when
something crashes | how-to/errors reference/http/errors: raise a 404 from a helper function | how-to/errors
reference/response reference/return-values tutorial/1-one-file: set the status code of a response | how-to/flash
reference/features/flash-and-csrf: show a success message after a redirect | how-to/forms how-to/uploads
reference/request reference/uploads: find out whether a file was sent with the form | how-to/forms
reference/features/forms tutorial/3-forms: fields of a form with labels and error messages | how-to/from-flask
how-to/run-on-a-dialect reference/compatibility reference/dialects reference/dialects/flask: keep my old Flask code
running unchanged | how-to/json-in-forms reference/bodies reference/json reference/request: what do I get when the json
body is malformed | how-to/jwt how-to/users reference/http/authentication reference/request: read the Authorization
header | how-to/languages reference/features/languages reference/http/negotiation reference/request: choose the best
language the client accepts | how-to/login how-to/users reference/request tutorial/5-users: who is the logged-in user
of this request | how-to/logs how-to/middleware reference/app: log how long every request took | how-to/middleware
reference/headers reference/response: send the same header twice | how-to/mount reference/app reference/response
reference/return-values: call another WSGI application from a handler | how-to/pages: page files with [id] in their
names | how-to/pages how-to/templates reference/features/templates tutorial/2-pages: one layout for all pages |
how-to/pages-and-api reference/http/negotiation reference/request: choose between JSON and HTML by the Accept header |
how-to/send-files reference/headers: continue an interrupted download with If-Range | how-to/send-files
reference/response: give the downloaded file another name; send a file that exists only in memory | how-to/sessions
reference/features/sessions: put a shopping cart into the session | how-to/settings reference/settings: read an
environment variable with a fallback value | how-to/static-files: serve the images folder | how-to/streams
reference/response reference/return-values: send output line by line while it is being generated |
how-to/structure-an-app reference/app reference/request reference/routing: name of the route that matched |
how-to/structure-an-app reference/blueprint reference/routing: nested blueprints | how-to/test-an-app reference/request
reference/testing: build a request object in a test without a server | how-to/uploads reference/bodies
reference/limits: allow 50 MB bodies for one upload route only | how-to/websockets reference/websockets: keep a
websocket open and echo messages | reference/bodies reference/request: read the body as text | reference/headers
reference/http/clients reference/request: is the visitor on a phone or a desktop; which browser does the visitor use |
reference/headers reference/request: find the page that linked here | reference/json reference/return-values
tutorial/1-one-file: return a list of objects as JSON | reference/request reference/typed-values: convert a query
parameter to int with a default | reference/routing tutorial/1-one-file: capture part of the path as a number
""")
"""What people ask who know a list of features, but no page."""

PROGRAMMERS = _read("""
explanation/many-machines: are global variables thread safe | explanation/many-machines reference/stores: share data
between worker processes | how-to/add-to-requests how-to/from-flask how-to/from-other-frameworks: g object per request
storage | how-to/api-versions: api versioning v1 v2 | how-to/behind-a-proxy: run under a sub path /api behind proxy |
how-to/blocks: htmx return only part of template | how-to/cache reference/http/caching how-to/api-with-etags: 304 not
modified etag | how-to/compress reference/features/compression: gzip responses | how-to/cookies how-to/sessions
reference/signing how-to/signed-links reference/app: encrypt cookie secret key rotation | how-to/csrf: csrf token
missing in ajax post | how-to/csv: stream a large csv row by row | how-to/database how-to/sqlalchemy: sqlalchemy
session per request; asyncpg connection pool | how-to/database how-to/sqlalchemy how-to/add-to-requests reference/app:
open database connection on startup and close on shutdown | how-to/deadlines: kill request that takes longer than 30
seconds | how-to/debug how-to/develop: set breakpoint in vscode | how-to/systemd how-to/nginx: deploy with gunicorn
nginx systemd | how-to/deploy: dockerfile | how-to/email reference/routing how-to/behind-a-proxy: build an absolute url
for a route in an email | how-to/errors how-to/forms reference/problems reference/fields: change the validation error
message | how-to/fetch-what-clients-name how-to/mount how-to/move-one-route-at-a-time how-to/behind-a-proxy: proxy a
request to another server | how-to/flash: flash message after redirect | how-to/forms tutorial/3-forms
reference/features/forms: show form errors next to the field | how-to/from-flask reference/dialects/flask
reference/handlers: working outside of application context | how-to/from-pyramid how-to/move-one-route-at-a-time:
migrate a pyramid app step by step | how-to/from-pyramid how-to/roles how-to/guards reference/dialects/pyramid: pyramid
acl permissions | how-to/health: liveness and readiness probe | how-to/idempotency: double submit payment idempotency
key | how-to/jobs: run a task every 5 minutes | how-to/jwt: jwt refresh token | how-to/languages: translate the site
into german | how-to/languages reference/http/negotiation reference/http/clients: detect mobile or language from
browser accept-language | how-to/login how-to/users how-to/templates reference/features/users: get current user in
template | how-to/logs: configure logging to a file; add request id to every log line | how-to/metrics: prometheus
metrics endpoint | how-to/middleware reference/bodies: read request body in middleware | how-to/middleware
reference/features/security: set a custom header on every response | how-to/mount how-to/from-flask: mount flask app
inside | how-to/mount-django how-to/from-django: use together with django orm | how-to/oauth: login with google |
how-to/pages-and-api: return html or json depending on accept header | how-to/pagination: paginate results of a query |
how-to/passkeys: passwordless login with fingerprint | how-to/rate-limits: limit requests per user per minute |
how-to/resumable-uploads: resume interrupted upload | how-to/send-files: send a file as download with another filename;
video seeking does not work range requests | how-to/send-files how-to/after-the-response: delete temp file after it was
sent | how-to/serve explanation/which-server reference/handlers how-to/after-the-response: blocking code in async
function | how-to/serve how-to/systemd: stop without dropping running requests | how-to/serve reference/command
how-to/develop: change the port it runs on | how-to/sessions reference/features/sessions: make the session expire after
30 minutes | how-to/shared-cache how-to/cache: cache a view for 15 minutes | how-to/static-files: how do i serve static
files; serve react build with fallback to index.html | how-to/static-files how-to/cache: browser shows old css after
deploy | how-to/streams how-to/events-to-many how-to/live: push updates from server to browser | how-to/templates
reference/features/templates how-to/add-to-requests: variable available in all templates | how-to/tenants
reference/routing: different site per subdomain | how-to/test-an-app reference/testing: unit test a file upload; log in
a user in pytest | how-to/trace: opentelemetry | how-to/transactions how-to/database how-to/sqlalchemy: rollback the
transaction when the view raises | how-to/uploads reference/bodies reference/uploads: upload 5 gb file without loading
it into memory | how-to/uploads reference/uploads how-to/forms: multiple file upload input | how-to/users
reference/http/authentication: http basic auth for one page | how-to/roles how-to/guards: only admins may see this view
| how-to/websockets how-to/events-to-many: websocket chat room broadcast | reference/bodies reference/request: xml body
| reference/command how-to/develop reference/routing: list all urls of the app | reference/features/security
how-to/behind-a-proxy how-to/serve how-to/deploy: redirect http to https | reference/json: serialize decimal and
datetime to json | reference/limits how-to/uploads reference/bodies: maximum upload size 413 request entity too large |
reference/problems reference/typed-values how-to/errors: 422 unprocessable entity what is wrong with my body |
reference/request reference/typed-values: how to get query string parameters from the url | reference/response
reference/return-values reference/routing: redirect to another url | reference/return-values: return json with status
code 201 | reference/routing: path parameter with slashes; trailing slash 404
""")
"""What programmers who know Flask, FastAPI, Django or Pyramid type into a search, written before any page was read."""

NEWCOMERS = _read("""
how-to/uploads: save uploaded avatar and show it again | how-to/send-files: return a generated pdf as download |
how-to/send-files how-to/static-files reference/features/security: show a pdf in the browser instead of downloading |
how-to/sessions reference/features/sessions: session data lost after restart | how-to/sessions how-to/end-logins: log
out on every device | how-to/end-logins: ban a user immediately | how-to/totp how-to/login: google authenticator codes
| how-to/accounts: resend the verification mail | how-to/accounts: confirm email address after signup | how-to/roles
how-to/guards: restrict a page to staff members | how-to/jobs how-to/test-an-app: unittest a background job |
how-to/jobs: send a reminder tomorrow at 9; cancel a scheduled job; retry a failed job with backoff; nightly cron |
how-to/languages: switch language by url prefix /de/; arabic right to left | how-to/languages how-to/errors: translated
404 page | how-to/templates how-to/email: render jinja template outside request context | how-to/email: attach a pdf to
an email; mock mail sending in tests | how-to/forms-sent-twice how-to/idempotency: user double clicked submit button |
how-to/forms reference/features/forms: dropdown with choices from the database; dynamic list of form fields |
how-to/camel-case reference/json reference/typed-values: alias snake case to camelCase | how-to/frames: embed my site
in an iframe | how-to/pagination: infinite scrolling list | how-to/test-an-app reference/testing: override the current
user in tests; freezing the clock in tests | how-to/rate-limits: too many requests per ip 429 | how-to/websockets
reference/websockets: authenticating a websocket connection | how-to/webhooks: verify github webhook signature |
how-to/write-a-feature how-to/for-library-authors: publishing an extension on pypi | reference/routing: regex in url
pattern; optional path parameter | reference/typed-values: enum as query parameter | reference/request
reference/typed-values: checkbox list same key several times in query | how-to/health how-to/deploy: healthcheck in
docker compose | how-to/database: bulk insert thousands of rows | how-to/static-files how-to/cache: cache busting for
css files | how-to/settings: different config for development and production
""")
"""What users of Flask, Django and FastAPI ask, written before the search was tried on them."""

UNANSWERED = [
    *("train a neural network on the gpu", "connect to MongoDB", "kotlin coroutines android fragment", "send an SMS"),
    *("install nvidia drivers on ubuntu", "gRPC protobuf service definition", "scrape a website with selenium"),
]
"""Questions that no page answers."""
