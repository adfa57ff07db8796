"""Security headers, as a feature: they tell browsers to protect an application's pages. Their policies are values.

app.use(SecurityHeaders(content_security_policy=ContentSecurityPolicy(default_src=["'self'"])))
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Self, TypeAlias

from antiphon import Request, Response, explained
from antiphon.embedding import Added, RequestState, SharedFields, errors_name_it, parse_origin, seconds_of, split_list
from antiphon.types import Route, Routes

PolicyWords: TypeAlias = str | Iterable[str]
"""Several words, or one string of words separated by spaces."""
PolicyDirectives: TypeAlias = tuple[tuple[str, tuple[str, ...]], ...]

YEAR = 365 * 24 * 3600
"""The number of seconds in a year."""

_FRAME_OPTIONS = ("DENY", "SAMEORIGIN")
_OPENER_POLICIES = ("same-origin", "same-origin-allow-popups", "noopener-allow-popups", "unsafe-none")
_REFERRER_POLICIES = (
    "no-referrer", "no-referrer-when-downgrade", "origin", "origin-when-cross-origin", "same-origin", "strict-origin",
    "strict-origin-when-cross-origin", "unsafe-url",
)  # fmt: skip

_FEATURE_KEYWORDS = ("self", "*")

_age = re.compile(r'("?)([0-9]{1,19})\1').fullmatch
_directives = re.compile(r'(?:[^";]++|"(?:[^"\\]++|\\.?)*+"?)++').findall
_directive_name = re.compile(r"[a-z0-9-]+").fullmatch
_directive_value = re.compile(r"[!-+\--:<-~]+").fullmatch
_feature_name = re.compile(r"[a-z][a-z0-9-]*").fullmatch
_allowlist = re.compile(r"\(([^()]*)\)|([^()]+)").fullmatch
_only_nonce = re.compile(r"([a-z-]+) 'nonce'(;|$)")
_is_source_list = re.compile(r".*-src(?:-elem|-attr)?|base-uri|form-action|frame-ancestors").fullmatch
_is_keyword = re.compile(
    r"(?:self|none|unsafe-inline|unsafe-eval|unsafe-hashes|wasm-unsafe-eval|strict-dynamic|report-sample)"
    r"|(?:nonce|sha256|sha384|sha512)-.*",
    re.IGNORECASE,
).fullmatch


@dataclass(frozen=True, slots=True, init=False)
class StrictTransportSecurity:
    """A policy that makes browsers use only https for ``max_age``, in whole seconds or a timedelta (RFC 6797). 0 ends
    it.

        app.use(SecurityHeaders(strict_transport_security=StrictTransportSecurity()))

    ``preload`` consents to inclusion in the list built into browsers, which requires a ``max_age`` of at least a year
    and all subdomains. Raises ValueError if these are missing, and for a negative ``max_age``.
    """

    max_age: int
    include_subdomains: bool
    preload: bool

    def __init__(
        self, max_age: int | timedelta = YEAR, include_subdomains: bool = False, preload: bool = False
    ) -> None:
        age = seconds_of(max_age)
        if not isinstance(age, int) or age < 0:
            raise explained("bad-feature-option", f"max_age must be a number of seconds, not {max_age!r}")
        if preload and not (include_subdomains and age >= YEAR):
            raise explained(
                "bad-feature-option", f"preload requires include_subdomains=True and a max_age of {YEAR} or more"
            )
        object.__setattr__(self, "max_age", age)
        object.__setattr__(self, "include_subdomains", include_subdomains)
        object.__setattr__(self, "preload", preload)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse `max-age=1; includeSubDomains` (RFC 6797 §6.1). Raises ValueError unless it has exactly one max-age."""
        pairs = [each.partition("=") for each in _directives(text.lower()) if each.strip()]
        directives = {name.strip(): value.strip() for name, _, value in pairs}
        age = _age(directives.get("max-age", ""))
        if len(directives) < len(pairs) or age is None:
            raise explained("bad-feature-option", f"not a Strict-Transport-Security: {text[:200]!r}")
        return cls(int(age[2]), "includesubdomains" in directives, "preload" in directives)

    def __str__(self) -> str:
        subdomains = "; includeSubDomains" if self.include_subdomains else ""
        return f"max-age={self.max_age}{subdomains}{'; preload' if self.preload else ''}"


@dataclass(frozen=True, slots=True, init=False, repr=False)
class ContentSecurityPolicy:
    """A policy that lists the sources from which a page may load content (CSP3 §2.2).

        ContentSecurityPolicy(default_src=["'self'"], img_src="*")

    Underscores in a directive's name stand for hyphens. A directive without a value is ``()`` or True. The source
    "'nonce'" stands for the nonce of each response, which ``csp_nonce`` returns. Raises ValueError for invalid names
    and values, such as a keyword without its quotes.
    """

    directives: PolicyDirectives

    def __init__(self, **directives: PolicyWords | bool) -> None:
        read = {name.replace("_", "-").lower(): _words(value) for name, value in directives.items()}
        if not read:
            raise explained("bad-feature-option", "a content security policy needs at least one directive")
        for name, values in read.items():
            _check_directive(name, values)
        object.__setattr__(self, "directives", tuple(read.items()))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse `default-src 'self'; img-src *`. If a directive is repeated, the first one applies (CSP3 §2.2.1)."""
        directives: dict[str, PolicyWords | bool] = {}
        for words in map(str.split, text.split(";")):
            if words:
                directives.setdefault(words[0].lower(), words[1:])
        return cls(**directives)

    def __str__(self) -> str:
        return "; ".join([" ".join((name, *values)) for name, values in self.directives])

    def __repr__(self) -> str:
        return f"ContentSecurityPolicy.parse({str(self)!r})"


@dataclass(frozen=True, slots=True, init=False, repr=False)
class PermissionsPolicy:
    """A policy that lists the origins whose pages may use a browser feature (Permissions Policy §9.2).

        PermissionsPolicy(camera=(), geolocation="self")

    Underscores in a feature's name stand for hyphens. A feature's value is ``()`` for no origin, "*", or "self" and
    origins, which may be patterns ("https://*.example.com"). Raises ValueError for anything else.
    """

    features: PolicyDirectives

    def __init__(self, **features: PolicyWords) -> None:
        read = {name.replace("_", "-"): _words(value) for name, value in features.items()}
        if not read:
            raise explained("bad-feature-option", "a permissions policy needs at least one feature")
        for name, allowed in read.items():
            _check_feature(name, allowed)
        object.__setattr__(self, "features", tuple(read.items()))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse `camera=(), geolocation=(self "https://a.example")`. If a feature is repeated, the last one applies.

        Raises ValueError for anything else.
        """
        features: dict[str, PolicyWords] = {}
        for member in split_list(text):
            name, _, written = member.partition("=")
            found = _allowlist(written)
            if not found:
                raise explained("bad-feature-option", f"not an allowlist: {member[:200]!r}")
            features[name] = [_read_allowed(word) for word in (found[1] or found[2] or "").split()]
        return cls(**features)

    def __str__(self) -> str:
        return ", ".join([f"{name}={_format_allowlist(allowed)}" for name, allowed in self.features])

    def __repr__(self) -> str:
        return f"PermissionsPolicy.parse({str(self)!r})"


def _words(value: PolicyWords | bool) -> tuple[str, ...]:
    if isinstance(value, bool):
        if not value:
            raise explained("bad-feature-option", "False is not a value: leave the directive out")
        return ()
    return tuple(value.split() if isinstance(value, str) else value)


def _given(value: str | None) -> tuple[str, ...]:
    return () if value is None else (value,)


def _check_known(name: str, values: tuple[str, ...], known: tuple[str, ...]) -> None:
    if unknown := [value for value in values if value not in known]:
        raise explained("bad-feature-option", f"{name} must be one of {', '.join(known)}, not {unknown[0]!r}")


def _check_directive(name: str, values: tuple[str, ...]) -> None:
    if not _directive_name(name):
        raise explained("bad-feature-option", f"not a directive's name: {name!r}")
    for value in values:
        if not _directive_value(value):
            raise explained(
                "bad-feature-option",
                f"{value!r} can't be used in {name}: it must not contain spaces, commas or semicolons",
            )
    if not _is_source_list(name):
        return
    if bare := [value for value in values if _is_keyword(value)]:
        raise explained(
            "bad-feature-option", f"in {name}, {bare[0]} is a keyword, which needs its own quotes: \"'{bare[0]}'\""
        )
    if len(values) > 1 and "'none'" in map(str.lower, values):
        raise explained("bad-feature-option", f"in {name}, 'none' must stand alone: {' '.join(values)}")


def _check_feature(name: str, allowed: tuple[str, ...]) -> None:
    if not _feature_name(name):
        raise explained("bad-feature-option", f"not a feature's name: {name!r}")
    for word in allowed:
        if word == "self" or (word == "*" and len(allowed) == 1):
            continue
        try:
            parse_origin(word.replace("://*.", "://", 1))
        except ValueError:
            raise explained(
                "bad-feature-option", f'{name} must be (), "*", or "self" and origins, not {word!r}'
            ) from None


def _read_allowed(word: str) -> str:
    """Read one item of an allowlist, in which origins are quoted and keywords are not."""
    if word in _FEATURE_KEYWORDS:
        return word
    origin = word[1:-1]
    if word != f'"{origin}"' or origin in _FEATURE_KEYWORDS:
        raise explained("bad-feature-option", f"not in an allowlist: {word[:200]!r}")
    return origin


def _format_allowlist(allowed: tuple[str, ...]) -> str:
    if allowed == ("*",):
        return "*"
    words = [word if word in _FEATURE_KEYWORDS else f'"{word}"' for word in allowed]
    return f"({' '.join(words)})"


NONCE = "'nonce'"
"""The source in a policy that stands for a response's nonce."""

_POLICY = "content-security-policy"


def csp_nonce(request: Request) -> str:
    """Return the nonce of this response (CSP3 §7.1): 22 unguessable characters, for ``<script nonce="...">``.

    Browsers run such a script if the policy of ``SecurityHeaders`` has the source "'nonce'". A response's policy
    includes the source only if this function was called for that response, or if the response is a stream. To use it in
    templates, call ``app.template_context(csp_nonce=csp_nonce)``.
    """
    return RequestState(request).nonce


def _without_nonce(fields: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the fields for a response without a nonce. A directive with no other source then allows nothing."""
    return [(name, _only_nonce.sub(r"\1 'none'\2", value).replace(f" {NONCE}", "")) for name, value in fields]


_POLICIES: Mapping[str, type[PermissionsPolicy | StrictTransportSecurity | ContentSecurityPolicy]] = {
    "permissions_policy": PermissionsPolicy,
    "strict_transport_security": StrictTransportSecurity,
    "content_security_policy": ContentSecurityPolicy,
}


@dataclass(frozen=True, slots=True, kw_only=True)
@errors_name_it
class SecurityHeaders:
    """A feature that adds the security headers that a response lacks. None or False turns a header off.

        app.use(SecurityHeaders())

    The defaults break no page that loads only its own files. They keep browsers from guessing content types, framing
    pages, sending other sites more than the origin, sharing a window with them, loading plugins, and obeying a
    ``<base>`` of another site. Strict-Transport-Security is sent only over https (RFC 6797 §7.2). A policy can also be
    given as the text of its header. Raises ValueError for unknown values, and TypeError for anything that is not a
    policy.
    """

    content_type_options: bool = True
    frame_options: str | None = "DENY"
    referrer_policy: PolicyWords | None = "strict-origin-when-cross-origin"
    cross_origin_opener_policy: str | None = "same-origin"
    permissions_policy: PermissionsPolicy | str | None = None
    strict_transport_security: StrictTransportSecurity | str | None = StrictTransportSecurity()
    content_security_policy: ContentSecurityPolicy | str | None = ContentSecurityPolicy(
        base_uri="'self'", object_src="'none'"
    )

    def __post_init__(self) -> None:
        referrers = None if self.referrer_policy is None else _words(self.referrer_policy)
        object.__setattr__(self, "referrer_policy", referrers or None)
        _check_known("frame_options", _given(self.frame_options), _FRAME_OPTIONS)
        _check_known("referrer_policy", referrers or (), _REFERRER_POLICIES)
        _check_known("cross_origin_opener_policy", _given(self.cross_origin_opener_policy), _OPENER_POLICIES)
        for name, kind in _POLICIES.items():
            policy = getattr(self, name)
            if isinstance(policy, str):
                object.__setattr__(self, name, kind.parse(policy))
            elif policy is not None and not isinstance(policy, kind):
                raise explained(
                    "bad-feature-option",
                    f"{name} must be a {kind.__name__}, the text of its header, or None, not {policy!r}",
                    TypeError,
                )

    def fields(self, is_secure: bool) -> list[tuple[str, str]]:
        """Return the header fields for a response, over https or http."""
        values: dict[str, object] = {
            "x-content-type-options": "nosniff" if self.content_type_options else None,
            "x-frame-options": self.frame_options,
            "referrer-policy": ", ".join(self.referrer_policy) if self.referrer_policy else None,
            "cross-origin-opener-policy": self.cross_origin_opener_policy,
            "permissions-policy": self.permissions_policy,
            _POLICY: self.content_security_policy,
            "strict-transport-security": self.strict_transport_security if is_secure else None,
        }
        return [(name, str(value)) for name, value in values.items() if value is not None]

    def __adds__(self, route: Route, method: str) -> Iterable[Added]:
        yield Added(headers=tuple(name for name, _ in self.fields(is_secure=True)))

    def install(self, app: Routes) -> None:
        """Register the function that sets the headers of responses, to run after everything else."""
        plain, secure = (SharedFields.of(_without_nonce(self.fields(is_secure))) for is_secure in (False, True))
        policy = str(self.content_security_policy)
        has_nonce = NONCE in policy

        def set_headers(request: Request, response: Response) -> None:
            if has_nonce and (RequestState.NONCE in request or response.is_streamed):
                response.headers.setdefault(_POLICY, policy.replace(NONCE, f"'nonce-{csp_nonce(request)}'"))
            response.add_missing(secure if request.head.scheme == "https" else plain)

        app.before_send(set_headers)
