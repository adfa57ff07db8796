"""CSRF tokens, as a feature of an app: each write needs a token that only pages made for the visitor contain.

app.use(CSRFTokens())
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable
from difflib import get_close_matches
from functools import partial
from hmac import compare_digest
from secrets import token_bytes, token_hex
from typing import Literal, TypeAlias

from antiphon import App, Dependency, HTTPError, Request, Session, explained
from antiphon.embedding import SAFE_METHODS, Added, Advice, OfRequest, errors_name_it
from antiphon.features.html import Markup
from antiphon.http import BadRequest, ContentTooLarge, Forbidden, UnsupportedMediaType
from antiphon.types import Route

HEADER = "x-csrf-token"

_FIELD = "csrf_token"
"""The name of the form field, which the core knows, too."""

PROBLEM_TYPE = "urn:antiphon:problem:csrf-token"
"""The ``type`` in the problem details of a refused write (RFC 9457 §3.1.1)."""

SIZE = 24
"""The number of bytes in a secret, and in the mask before it in a token."""

_LENGTH = 2 * SIZE * 4 // 3
"""The number of characters in a token."""

_PREFIX = "__csrf:"
"""The prefix of secrets' names in the session. Two concurrent pages may each create a secret; both secrets are valid.
"""

_MOST = 16
"""The number of secrets that are valid in one session."""

_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")

CSRFReason: TypeAlias = Literal["missing", "malformed", "expired", "other session"]

_REASONS: dict[CSRFReason, str] = {
    "missing": f"There is no token in X-CSRF-Token or in the form's field {_FIELD}; if the body is streamed, or"
    " is not a form, only the header is checked.",
    "malformed": "The value that was sent is not a token.",
    "expired": "The visitor's session has no token: it has expired, was ended, or got a new key at a login, or its"
    " cookie was not sent.",
    "other session": "The token that was sent belongs to another session, or was made before a login.",
}


class BadCSRFToken(Forbidden):
    """403: a write has no valid token, because the page is too old or was made for another visitor.

    ``reason`` is "missing", "malformed", "expired" (the visitor's session no longer has a token), or "other session"
    (the token belongs to another session or was made before a login).
    """

    def __init__(self, reason: CSRFReason) -> None:
        detail = "This write has no valid CSRF token. Reload the page, and send the form again."
        super().__init__(detail, type=PROBLEM_TYPE, title="CSRF token refused")
        self.add_note(_REASONS[reason])  # debug mode shows it
        self.reason = reason


@errors_name_it
class CSRFTokens:
    """A feature that refuses writes without a token (403). Pages of this app get the token from ``csrf_input``.

        app.use(CSRFTokens())

    A write is any request except GET, HEAD, OPTIONS, TRACE and QUERY. Its token is in the X-CSRF-Token header, or in a
    form's "csrf_token" field. The token belongs to the session: use Sessions before this feature. ``exempt`` lists
    routes that need no token, and blueprints whose routes need none, by name, such as "webhook" or "shop.paid". Routes
    with ``csrf_exempt=True``, requests with a Bearer token and no cookie, and requests from trusted origins also need
    no token.
    """

    def __init__(self, *, exempt: Iterable[str] = ()) -> None:
        """Raises ValueError if ``exempt`` is a single string, and, when the app starts, if it names a route or
        blueprint that the app does not have.
        """
        if isinstance(exempt, str):
            raise explained("list-wanted", f"exempt must be a list of names: [{exempt!r}]")
        self._exempt = tuple(exempt)
        self._advice = Advice()

    def install(self, app: App) -> None:
        """Register the check of writes and share functions with templates. Raises RuntimeError if there are no
        sessions."""
        if not app.is_provided(Request.session):
            raise explained(
                "missing-feature",
                "CSRFTokens belong to the session: app.use(Sessions(store)), before app.use(CSRFTokens())",
                RuntimeError,
            )
        app.provide(_MASK, lambda request: token_bytes(SIZE))  # noqa: ARG005
        app.provide(
            _SENT, _form_field, blocking=True, when=self._has_to_wait, default=_received_field, only_writes=True
        )
        app.before_request(only_writes=True)(self._check)
        app.on_startup(partial(self._check_names, app))
        app.template_context(csrf_input=_InputOfRequest, csrf_token=_TokenInTemplate.of)

    def __adds__(self, route: Route, method: str) -> Iterable[Added]:
        if route.csrf_exempt or self._is_exempt(route.name):
            return
        yield Added(protects="CSRF token")
        if method not in SAFE_METHODS:
            for error in (BadCSRFToken, BadRequest, ContentTooLarge, UnsupportedMediaType):  # the rest of its form
                yield Added(error.status, error)

    def _check_names(self, app: App) -> None:
        parts = [route.name.split(".") for route in app.routes]
        known = {".".join(each[:count]) for each in parts for count in range(1, len(each) + 1)}
        for name in self._exempt:
            if name not in known:
                near = get_close_matches(name, known, 1)
                meant = f": did you mean {near[0]!r}?" if near else ""
                raise explained(
                    "bad-feature-option",
                    f"CSRFTokens(exempt=[{name!r}]) names neither a route nor a blueprint here{meant}",
                )

    def _check(self, request: Request) -> None:
        """Refuse a write without a valid token."""
        if not self._is_checked(request):
            return
        given = request.head.field(HEADER)
        if given is None:
            given = request[_SENT]
        reason = _reason(given, request.session)
        if reason is None:
            return
        if reason == "missing":
            endpoint = request.endpoint
            fix = f'{{{{ csrf_input() }}}} in its form, a header X-CSRF-Token, or CSRFTokens(exempt=["{endpoint}"])'
            self._advice.give(f"A write to {endpoint!r} without a CSRF token", fix)
        raise BadCSRFToken(reason)

    def _is_checked(self, request: Request) -> bool:
        """Return True for a write that needs a token. If no route of this app matches, there is nothing to write to."""
        if request.method in SAFE_METHODS or (endpoint := request.endpoint) is None:
            return False
        if request.route.csrf_exempt or self._is_exempt(endpoint):
            return False
        return not (_is_of_program(request) or _is_of_trusted_page(request))

    def _is_exempt(self, endpoint: str) -> bool:
        return any(endpoint == name or endpoint.startswith(f"{name}.") for name in self._exempt)

    def _has_to_wait(self, request: Request) -> bool:
        """Return True if the token can only be in a body that has not arrived yet and may be valid."""
        return (
            self._is_checked(request)
            and request.head.field(HEADER) is None
            and _has_form(request)
            and not request.content.is_whole
            and bool(_secrets(request.session))
        )


_MASK = Dependency[bytes]("CSRF tokens", fix="app.use(CSRFTokens())")
_SENT = Dependency[str | None]("CSRF token of a form")


def csrf_token(request: Request) -> str:
    """Return a token of 64 characters, for pages that send it back in X-CSRF-Token or in a form as "csrf_token".

    Its text differs in each response, so that compression reveals nothing about it. It is valid until the session ends
    or gets a new key at a login. The first token begins a session. Raises RuntimeError without ``CSRFTokens``, and in a
    stream if the session doesn't have a secret yet.
    """
    mask = request[_MASK]
    return urlsafe_b64encode(mask + _xor(mask, _secret(request.session))).decode()


def csrf_input(request: Request) -> Markup:
    """Return a form's hidden input with the token from ``csrf_token``, as HTML that templates don't escape.

    Raises the same errors as ``csrf_token``.
    """
    return Markup(f'<input type="hidden" name="{_FIELD}" value="{csrf_token(request)}">')


class _TokenInTemplate(str):
    """The value of ``csrf_token`` in templates. It can also be called, as in Flask's."""

    __slots__ = ()

    @classmethod
    def of(cls, request: Request) -> "_TokenInTemplate":
        return cls(csrf_token(request))

    def __call__(self) -> "_TokenInTemplate":
        return self


class _InputOfRequest(OfRequest):
    """The template function ``csrf_input``, for the request for which a template is rendered."""

    def __call__(self) -> Markup:
        return csrf_input(self._request)


def _secret(session: Session) -> bytes:
    """Return the session's secret, or a new one if it has none."""
    for secret in _secrets(session):
        return secret
    if session.is_over:
        raise explained(
            "session-is-over",
            "a CSRF token needs a secret in the session, which was saved when the response was made: call"
            " csrf_token(request) in the handler, before the stream",
            RuntimeError,
        )
    secret = session[f"{_PREFIX}{token_hex(4)}"] = token_bytes(SIZE)
    return secret


def _secrets(session: Session) -> list[bytes]:
    return [session[name] for name in sorted(session) if name.startswith(_PREFIX)][:_MOST]


def _reason(given: str | None, session: Session) -> CSRFReason | None:
    """Return the reason why a token is not valid, or None if it is."""
    secrets = _secrets(session)  # always read, so each refusal varies by cookie, whether or not its body has arrived
    if given is None:
        return "missing"
    try:
        token = urlsafe_b64decode(given) if len(given) == _LENGTH and given.isascii() else b""
    except ValueError:
        token = b""
    if len(token) != 2 * SIZE:
        return "malformed"
    if not secrets:
        return "expired"
    sent = _xor(token[:SIZE], token[SIZE:])
    return None if any(compare_digest(sent, secret) for secret in secrets) else "other session"


def _xor(one: bytes, other: bytes) -> bytes:
    return (int.from_bytes(one) ^ int.from_bytes(other)).to_bytes(SIZE)


def _is_of_program(request: Request) -> bool:
    """Return True if the user is identified only by a Bearer token, or one that is bound to a key (DPoP). Browsers send
    cookies unasked, but not such tokens.
    """
    given = request.authorization
    has_token = given is not None and given.scheme in ("bearer", "dpop") and given.token is not None
    return has_token and request.head.field("cookie") is None


def _is_of_trusted_page(request: Request) -> bool:
    """Return True for a page on another site that the app trusts: it can't have a token from this site."""
    origin = request.head.field("origin")
    if not origin or origin == "null" or request.head.field("sec-fetch-site") in ("same-origin", "none"):
        return False
    return bool(request.app.trusts_origin(origin, request.blueprint))


def _has_form(request: Request) -> bool:
    return request.mimetype in _FORMS and request.route.receive != "stream"


def _form_field(request: Request) -> str | None:
    """Return the form's token. Only code that may wait calls this, since the body may not have arrived yet."""
    return request.form.get(_FIELD)


def _received_field(request: Request) -> str | None:
    """Return the token of a form that has already arrived. Without a session, no token is valid, so there is no need to
    report a malformed form.
    """
    if not (_has_form(request) and request.content.is_whole):
        return None
    try:
        return _form_field(request)
    except HTTPError:
        if _secrets(request.session):
            raise
        return None
