"""The rules of an audit: each finds one kind of fault, and says what to do about it."""

import ast
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from typing import Literal, NamedTuple, TypeAlias

from antiphon.embedding import SAFE_METHODS
from antiphon.features.openapi.audit.objects import Code, as_function
from antiphon.features.openapi.audit.routes import AuditedRoute, Field, is_guessable
from antiphon.features.openapi.code.reading import is_ours

Rule: TypeAlias = Literal["owner", "guessing", "exposed", "sibling", "token", "maker"]


class Finding(NamedTuple):
    """A fault that a rule has found, or what it could not tell."""

    rule: Rule
    operation: str
    text: str
    place: str
    """The file and line of the handler."""
    advice: str
    lines: tuple[int, int]
    """The first and the last line of the handler, in which a comment can silence the finding."""
    is_unknown: bool = False


def findings(routes: list[AuditedRoute]) -> list[Finding]:
    """Return what the rules find, by route."""
    found = [each for route in routes for rule in _RULES for each in rule(route)]
    return sorted(
        [*found, *_siblings(routes), *_tokens(routes)], key=lambda each: (each.is_unknown, each.place, each.rule)
    )


def _finding(rule: Rule, route: AuditedRoute, text: str, advice: str, *, is_unknown: bool = False) -> Finding:
    node = route.code[0].source.node if route.code else None
    first = route.function.__code__.co_firstlineno if route.function else 0
    lines = first, getattr(node, "end_lineno", None) or first
    return Finding(rule, route.name, text, route.place, advice, lines, is_unknown)


# Whose object it is (OWASP API1:2023)


_OWNERS = re.compile(
    r"^(owner|user|author|account|customer|member|patient|tenant|creator|buyer|sender|recipient|created_by|owned_by"
    r"|holder|employee|student|organi[sz]ation|team)(_?id|_?key|_?name|_?number)?$",
    re.IGNORECASE,
)
"""Names of fields that say whose an object is."""
_KEYS = re.compile(r"(^|_)(id|ids|uuid|account|iban)$|[a-z]I[dD]s?$|^(from|to)_?(account|wallet)")
"""Names of fields that refer to an object."""
_NO_OBJECTS = re.compile(
    r"(request|trace|correlation|span|session|client|device|message|event|page|cursor)_?id$", re.IGNORECASE
)
"""Names of fields that look alike, but refer to nothing that has an owner."""


def _owner(route: AuditedRoute) -> Iterator[Finding]:
    if "login" not in route.protection or route.is_of_accounts:
        return
    named = next(iter(route.parameters), "")
    writes = route.method not in SAFE_METHODS
    named = named or next((each.name for each in route.taken if _is_key(each, writes)), "")
    if not named:
        return
    if not route.code:
        text = f"it is not known whether anything asks whose {named} it is, since the handler's source is missing"
        yield _finding("owner", route, text, "look at its source", is_unknown=True)
    elif not route.asks and not _is_shared(route):
        text = f"needs a login, but nothing asks whose {named} it is"
        yield _finding("owner", route, text, "compare its owner with request.user, or search among the user's own")


def _is_key(field: Field, writes: bool) -> bool:
    """Return True if a field refers to an object, judging by its name; in a write, also by its format."""
    name = field.name.replace("-", "_")
    return bool(_KEYS.search(name) or (writes and field.format == "uuid")) and not _NO_OBJECTS.search(name)


def _is_shared(route: AuditedRoute) -> bool:
    """Return True for a read of an object that has no owner and nothing personal, as far as its type says."""
    if route.method not in SAFE_METHODS or not route.given or not route.is_known:
        return False
    return not any(each.is_personal or each.is_secret or _OWNERS.search(each.name) for each in route.given)


# Secrets that can be guessed


_COMPARES = re.compile(
    r"^(is_)?(verify|check|compare|match(es)?|valid(ate)?|authenticate|confirm|same|right|correct)|_(verify|check|matches)$"
    r"|compare_digest|checkpw|is_same_secret|is_password|password_(ok|matches)|^log_?in$|^sign_?in$|_with$",
    re.IGNORECASE,
)
_QUERIES = re.compile(r"\bselect\b.*\bwhere\b.*(passw|\bpin\b|\botp\b|code)", re.IGNORECASE | re.DOTALL)
_STORES = re.compile(r"hash|encrypt|create|register|sign_?up|add|set_|insert|save|change|reset|update|len|strip|encode")


def _guessing(route: AuditedRoute) -> Iterator[Finding]:
    secrets = [each.name for each in route.taken if is_guessable(each)]
    secrets += [name for name in route.parameters if is_guessable(Field("", name, False, _is_code(name)))]
    if not secrets or route.is_limited:
        return
    name = secrets[0]
    compared = [found for code in route.code if (found := _compares(code, {*secrets}))]
    text = f"compares {name}, but anyone may try as often as they like"
    if compared:
        yield _finding("guessing", route, text, 'limit the attempts: before=RateLimit("5/minute")')
    elif not route.code or any(_hands_over(code, {*secrets}) for code in route.code[:1]):
        text = f"it is not known whether {name} is compared, and there is no rate limit"
        yield _finding("guessing", route, text, 'if it is: before=RateLimit("5/minute")', is_unknown=True)


def _is_code(name: str) -> bool:
    return bool(re.search(r"(^|_)(code|pin|otp|password)$", name))


def _compares(code: Code, secrets: set[str]) -> bool:
    """Return True if code compares a secret, or passes it to a function that compares it, judging by its name."""
    sure = {each for each in secrets if _is_one_time(each) or "passw" in each.lower()}  # a code may be a country's
    for node in code.nodes:
        match node:
            case ast.Compare(left=left, ops=[ast.Eq() | ast.NotEq()], comparators=[right]):
                if not isinstance(right, ast.Constant) and any(_mentions(each, secrets) for each in (left, right)):
                    return True
                if _is_text(right) and sure & {*_all_words(left)}:
                    return True
            case ast.Compare(left=left, ops=[ast.In() | ast.NotIn()]):  # a password may be one of the too common ones
                if not isinstance(left, ast.Constant) and {*_all_words(left)} & {*filter(_is_one_time, sure)}:
                    return True
            case ast.Match(subject=subject, cases=cases) if sure & {*_all_words(subject)}:
                if any(isinstance(each.pattern, ast.MatchValue) and _is_text(each.pattern.value) for each in cases):
                    return True
            case ast.Call(args=[ast.Constant(value=str() as text), *given]) if _QUERIES.search(text):
                if any(_mentions(each, secrets) for each in given):
                    return True
            case ast.Call(func=called) if _logs_in(code.find(called)):
                return True
            case ast.Call(func=called, args=args, keywords=keywords):
                given = [*args, *[each.value for each in keywords]]
                if _COMPARES.search(_name(called)) and any(_mentions(each, secrets) for each in given):
                    return True
    return False


def _logs_in(called: object) -> bool:
    return getattr(called, "__name__", "") == "login" and is_ours(as_function(called))


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value != ""


def _hands_over(code: Code, secrets: set[str]) -> bool:
    """Return True if code passes a secret to a function whose code is not known."""
    known = {id(node) for node, _, _ in code.functions_called()}
    calls = [node for node in code.nodes if isinstance(node, ast.Call) and id(node) not in known]
    return any(
        not isinstance(code.find(node.func), type) and not _STORES.search(_name(node.func).lower())
        for node in calls
        for each in node.args
        if not isinstance(each, ast.Call | ast.Constant) and _mentions(each, secrets)
    )


def _mentions(node: ast.AST, secrets: set[str]) -> bool:
    """Return True if an expression contains one of the secrets, or a name that suggests one."""
    words = {*_all_words(node)}
    return bool(words & secrets) or any(is_guessable(Field("", each, False, _is_secret(each))) for each in words)


def _is_secret(name: str) -> bool:
    return bool(re.search(r"passw|passphrase|passcode|(^|_)(pin|otp|pwd|code)($|_)", name.lower()))


def _is_one_time(name: str) -> bool:
    return bool(re.search(r"(^|_)(pin|otp|passcode)($|_)", name.lower()))


def _all_words(node: ast.AST) -> Iterator[str]:
    return (each for inner in ast.walk(node) for each in _words(inner))


def _words(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            yield name
        case ast.Constant(value=str() as text):
            yield text


def _name(called: ast.AST) -> str:
    return called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")


# Fields that go out


def _exposed(route: AuditedRoute) -> Iterator[Finding]:
    if not route.operation:
        text = "it is not known what it sends, since another route has the same path and method"
        yield _finding("exposed", route, text, "look at its source", is_unknown=True)
    sent = {each.name for each in route.taken}
    secrets = [each for each in route.given if is_guessable(each) and each.name not in sent]
    if secrets:
        named = ", ".join(dict.fromkeys(each.name for each in secrets))
        yield _finding("exposed", route, f"sends {named}", "return a type without it")
    if "login" in route.protection or "signature" in route.protection:
        return
    personal = [each for each in route.given if each.is_personal]
    if route.method not in SAFE_METHODS:  # the client gets what it has sent
        personal = [each for each in personal if each.name not in sent]
    if personal:
        named = ", ".join(dict.fromkeys(each.name for each in personal))
        whose = next((f" of a {each.kind}" for each in personal if each.kind in route.kinds_of_users), "")
        advice = "return a type without it, or add before=login_required"
        yield _finding("exposed", route, f"sends {named}{whose} to anyone", advice)


# What siblings have


_ADVICE = {
    "login": "add before=login_required",
    "scope": "add before=scopes_required(...)",
    "rate limit": "add before=RateLimit(...)",
    "idempotency key": "add idempotent=True",
    "signature": "add signed_by=...",
    "check of other sites": "leave out csrf_exempt=True",
    "CSRF token": "leave out csrf_exempt=True, or its name in CSRFTokens(exempt=[...])",
}


def _siblings(routes: list[AuditedRoute]) -> Iterator[Finding]:
    """Yield what a write lacks that the other writes of its blueprint, or below the same path, all have."""
    groups: dict[tuple[int, str], list[AuditedRoute]] = defaultdict(list)
    of_accounts = {_group_of(each) for each in routes if each.is_of_accounts}
    for_visitors = [each for each in routes if _group_of(each) in of_accounts and _takes_address(each)]
    for each in routes:
        if each.method not in SAFE_METHODS and not each.is_of_accounts:
            groups[id(each.contract.route.app), _group_of(each)].append(each)
    for route in routes:
        is_open = not {"login", "signature"} & route.protection
        if route.method not in SAFE_METHODS and is_open and not (route.is_of_accounts or route in for_visitors):
            same = [each for each in routes if each.path == route.path and "login" in each.protection]
            if same and all(
                "login" in each.protection for each in routes if each.path == route.path and each is not route
            ):
                yield _finding("sibling", route, f"has no login, which {same[0].name} has", _ADVICE["login"])
                groups[id(route.contract.route.app), _group_of(route)].remove(route)
    for group in groups.values():
        for route in group:
            others = [each for each in group if each is not route]
            own = {each: f"add {each}" for other in others for each in sorted(other.protection) if "=" in each}
            for what, advice in (_ADVICE | own).items():
                if what == "idempotency key" and route.method in ("PUT", "DELETE"):  # idempotent (RFC 9110 §9.2.2)
                    continue
                if what == "login" and ("signature" in route.protection or route in for_visitors):
                    continue
                having = [each for each in others if what in each.protection]
                least = 1 if what == "login" else 2
                if what not in route.protection and len(having) == len(others) >= least:
                    shown = having[0].name + (f" and {len(having) - 1} more" if len(having) > 1 else "")
                    yield _finding("sibling", route, f"has no {what}, which {shown} have", advice)


def _takes_address(route: AuditedRoute) -> bool:
    """Return True for a route that takes a mail address, as registrations and requests for a new password do."""
    return any(re.fullmatch(r"e_?mail(_?address)?", each.name, re.IGNORECASE) for each in route.taken)


# Tokens


def _tokens(routes: list[AuditedRoute]) -> Iterator[Finding]:
    """Yield what functions that find users don't ask of a JSON Web Token that they decode."""
    for codes in {codes[0].source.node: codes for route in routes for codes in route.loaders if codes}.values():
        source, nodes = codes[0].source, [(code, node) for code in codes for node in code.nodes]
        lines = source.code.co_firstlineno, source.node.end_lineno or 0
        place = f"{source.code.co_filename}:{lines[0]}"
        found = partial(Finding, "token", f"Bearer({source.code.co_name})", place=place, lines=lines)
        if any(map(_decodes, [node for _, node in nodes])) and not any(_asks_audience(*each) for each in nodes):
            text = "decodes tokens, but nothing asks for whom they were made (aud)"
            yield found(text=text, advice="compare aud with this app's name, or use a ProtectedResource")
        if any(_makes_up_user(node) for _, node in nodes):
            text = "takes tokens that name nobody (sub) for those of one user"
            yield found(text=text, advice='refuse them: claims["sub"]')


def _decodes(node: ast.AST) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=module), attr="decode")):
            return "jwt" in module.lower()
    return False


def _asks_audience(code: Code, node: ast.AST) -> bool:
    """Return True for the audience's name, or for an object of the module that has it, such as a registry of claims."""
    if isinstance(node, ast.keyword):
        return node.arg in ("aud", "audience")
    known = repr(getattr(code.find(node), "__dict__", "")) if isinstance(node, ast.Name) else ""
    return "'aud'" in known or bool({"aud", "audience"} & {*_words(node)})


def _makes_up_user(node: ast.AST) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(attr="get"), args=[ast.Constant(value="sub"), default]):
            return not (isinstance(default, ast.Constant) and not default.value)
    return False


# Credentials that others make


_REGISTERS = {"verify_registration_response", "register_complete"}
"""The functions of py_webauthn and fido2 after which code keeps a new passkey."""


def _maker(route: AuditedRoute) -> Iterator[Finding]:
    if _REGISTERS & route.called and "require_login" not in route.called and not route.has_persons_only:
        text = "registers a passkey, also for an API key or a token, which becomes a login"
        yield _finding("maker", route, text, "call users.require_login(request), or use a PasskeyLogin")


def _group_of(route: AuditedRoute) -> str:
    return route.contract.route.blueprint or "/".join(route.path.split("/")[:2])


_RULES: tuple[Callable[[AuditedRoute], Iterator[Finding]], ...] = (_owner, _guessing, _exposed, _maker)
