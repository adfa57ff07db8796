"""Secrets: the names that they have, their shapes in text, and text without them."""

import os
import re
from collections.abc import Mapping
from urllib.parse import quote, quote_plus

MASK = "[masked]"
_MOST = 20_000
"""Characters of a text that are searched. What is behind them is cut off."""
_SHORTEST, _LONGEST = 6, 10_000
"""Lengths of a secret that is masked wherever it stands. A shorter one would be found in innocent words."""

_ANYWHERE = (
    *("password", "passwd", "passphrase", "secret", "token", "credential", "signature", "bearer", "jwt"),
    *("apikey", "accesskey", "privatekey", "secretkey", "signingkey", "encryptionkey", "masterkey"),
    *("authorization", "authorisation", "cookie", "session", "csrf", "xsrf"),
    *("creditcard", "cardnumber", "ccnumber", "databaseurl", "dburl", "connectionstring", "conninfo"),
)
"""Parts of names, without what stands between their words."""
_ALONE = frozenset(("auth", "cvc", "cvv", "dsn", "iban", "otp", "pass", "pin", "pwd", "salt", "sid", "ssn"))
"""Words that count by themselves only."""
_OF_ENVIRONMENT = re.compile("session|cookie", re.IGNORECASE)
"""Names in the environment of what a desktop or a terminal is, and no secret: XDG_SESSION_TYPE."""
_words = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+").findall

_NAME = "|".join(
    [
        *(re.sub(r"(?<=[a-z])(?=(?:key|url|string|card|number)\b)", "[ _-]?", word) for word in _ANYWHERE),
        *(rf"(?<![a-z]){word}(?![a-z])" for word in sorted(_ALONE)),
    ]
)
_NAMED = rf"(?<![\w-])(?P<name>[\w.-]{{0,60}}?(?:{_NAME})[\w.-]{{0,60}}[\"']?\]?)"
_LITERAL = r"(?P<prefix>[bruf]{0,2})(?P<quote>\"\"\"|'''|\"|')(?:\\.|(?!(?P=quote)).)*(?:(?P=quote)|\Z)"
_in_code = re.compile(rf"{_NAMED}(?P<sign>\s*(?::\s*\w+\s*)?[=:]\s*){_LITERAL}", re.IGNORECASE | re.DOTALL)
_in_text = re.compile(
    rf"{_NAMED}(?P<sign>=|\s*[=:]\s*(?=[bruf]{{0,2}}[\"'])|\s*[=:]\s*(?=[^\s,;&]*\d))(?:{_LITERAL}|[^\s,;&\"'<>]+)",
    re.IGNORECASE | re.DOTALL,
)
_SHAPES = [
    (re.compile(pattern, re.DOTALL), replacement)
    for pattern, replacement in (
        (r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", MASK),
        (r"\b((?i:bearer|token)\s+)(?=\S*[\d._~+/=-])[\w.~+/=-]{6,}", rf"\1{MASK}"),
        (r"\b((?i:bearer)\s+)[\w.~+/=-]{12,}", rf"\1{MASK}"),
        (r"\b((?i:basic|negotiate)\s+)(?=\S*[A-Z\d=])[A-Za-z\d+/]{6,}={0,2}", rf"\1{MASK}"),
        (r"\beyJ[\w-]{5,}\.[\w-]+(?:\.[\w-]*)*", MASK),
        (r"(://)[^/\s:@\"'<>?#]*:(?!\d{1,5}(?:[/?#]|\Z))[^\s\"'<>]*@", rf"\1{MASK}@"),
        (r"\b(?:sk|pk|rk|whsec)[-_](?:[a-z]+[-_])?[\w-]{16,}", MASK),
        (r"\b(?:gh[pousr]_|github_pat_|glpat-|xox[a-z]-|AKIA|ASIA|AIza)[\w-]{12,}", MASK),
    )
]
_digits = re.compile(r"(?<![\d-])(?<!\d\.)\d{4}([ -]?)\d{4}\1\d{4}\1\d{2,4}(?:\1\d{1,3})?(?!\d|\.\d)").sub


def is_secret_name(name: str) -> bool:
    """True if what has this name is likely to be a secret: ``api_key``, ``X-CSRF-Token``, ``userPassword``."""
    words = [word.lower() for word in _words(name[:200])]
    joined = "".join(words)
    return any(each in joined for each in _ANYWHERE) or not _ALONE.isdisjoint(words)


class Mask:
    """What masks text: by names, by shapes, and by the secrets that it was told of."""

    def __init__(self) -> None:
        self._secrets: set[str] = set()
        self._search: re.Pattern[str] | None = None
        for name, value in os.environ.items():
            if is_secret_name(name) and not _OF_ENVIRONMENT.search(name) and not value.startswith("/"):
                self.add(value)

    def add(self, secret: str) -> None:
        """Mask a secret wherever it stands, unless it is short; also as it is written in URLs and in ``repr``."""
        if len(secret.strip()) >= _SHORTEST and len(secret) <= _LONGEST and MASK not in secret:
            secret = secret.strip()
            forms = (secret, repr(secret)[1:-1], quote(secret, safe=""), quote(secret), quote_plus(secret))
            self._secrets.update(forms)
            self._search = None

    def text(self, text: str) -> str:
        """Return a text without secrets, as in a message."""
        return self._of(_in_text.sub(_masked, _readable(text)))

    def code(self, text: str) -> str:
        """Return source code without secrets: of what has a secret's name, literals only."""
        return self._of(_in_code.sub(_masked, _readable(text)))

    def known(self, text: str) -> str:
        """Return a text without the secrets that were added: for names of files and functions."""
        if not self._secrets:
            return text
        if self._search is None:
            longest_first = sorted(self._secrets, key=len, reverse=True)
            self._search = re.compile("|".join(map(re.escape, longest_first)))
        return self._search.sub(MASK, text)

    def _of(self, text: str) -> str:
        text = self.known(text)
        for shape, replacement in _SHAPES:
            text = shape.sub(replacement, text)
        return _digits(_without_card, text)

    def fields(self, fields: Mapping[str, str]) -> None:
        """Learn the secrets among values by their names."""
        for name, value in fields.items():
            if is_secret_name(name):
                self.add(value)


def _readable(text: str) -> str:
    """Return the first characters of a text, with what UTF-8 can't encode replaced."""
    return text[:_MOST].encode("utf-8", "replace").decode()


def _masked(found: re.Match[str]) -> str:
    quoted = found["quote"] or ""
    return f"{found['name']}{found['sign']}{quoted}{MASK}{quoted}"


def _without_card(found: re.Match[str]) -> str:
    """Return the mask for a number of 13 to 19 digits that may be a card's: by the check digit (ISO/IEC 7812-1)."""
    digits = [int(digit) for digit in found[0] if digit.isdigit()]
    doubled = [each if index % 2 == 0 else sum(divmod(2 * each, 10)) for index, each in enumerate(digits[::-1])]
    return MASK if 13 <= len(digits) <= 19 and sum(doubled) % 10 == 0 else found[0]
