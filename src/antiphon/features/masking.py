"""Secrets: their patterns in text and source code, and masking them before text is shown."""

import os
import re
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import lru_cache
from html import unescape
from unicodedata import normalize
from urllib.parse import unquote

from antiphon.features.secret_names import ALONE, ANYWHERE, is_secret_name
from antiphon.types import SecretKeys

_tokens = re.compile(
    r"(?P<comment>\#[^\n]*)"
    r"|(?:\b[bruft]{1,2})?(?P<quote>(?P<long>\"\"\"|''')|\"|')"
    r"(?P<inside>(?:\\.|(?!(?P=quote))(?(long).|[^\n]))*)(?P<end>(?P=quote)|(?=\n)|\Z)"
    r"|(?P<name>[\w.]+)"
    r"|(?P<sign>[=!<>:+*/%|&@^-]=|[=:,\n()\[\]{}])",
    re.DOTALL | re.IGNORECASE,
).finditer
_STATEMENTS = frozenset("case class def elif else except finally for if lambda match return try while with".split())  # noqa: SIM905


class _Bracket:
    """The text in one pair of brackets, or outside all brackets: the last name in it, and whether that name suggests a
    secret.
    """

    def __init__(self, *, opening: str = "", follows_name: bool = False, is_secret: bool = False) -> None:
        self.opening = opening
        self.takes_key = follows_name and opening != "{"
        """True until the first value in a call or subscript has ended, because that is often a name."""
        self.surrounding_is_secret = self.is_secret = is_secret
        self.names: list[str] = []
        self.last = ""
        """The last name or literal, which a comma, a colon or a comparison refers to."""
        self.is_pair = False


class SecretLiterals:
    """A reader of source code, or part of it, that yields literals and whether they may be shown.

    ``is_secret`` returns True for a secret's name.
    """

    def __init__(self, is_secret: Callable[[str], bool]) -> None:
        self._is_secret = is_secret
        self._open = [_Bracket()]

    def read(self, code: str) -> Iterator[tuple[re.Match[str], bool]]:
        """Yield each literal and each comment in code, with True for a literal that its context marks as secret."""
        literals: list[tuple[re.Match[str], bool]] = []
        follows_value = is_compared = False
        for token in _tokens(code):
            kind, text = token.lastgroup, token[0]
            here = self._open[-1]
            if kind == "comment":
                literals.append((token, False))
                continue
            if kind == "name":
                if is_compared and self._is_secret(text) and literals and here.last == literals[-1][0]["inside"]:
                    literals[-1] = literals[-1][0], True
                self._name(here, text)
            elif kind == "sign":
                is_compared = text in ("==", "!=")
                if is_compared:
                    here.is_secret = here.is_secret or self._is_secret(here.last)
                else:
                    self._sign(here, text, follows_value)
            else:
                is_key = here.takes_key and here.is_secret is here.surrounding_is_secret
                literals.append((token, here.is_secret and not is_key))
                here.last = token["inside"]
            follows_value = kind != "sign" or text in ")]}"
        yield from literals

    def _name(self, here: _Bracket, name: str) -> None:
        if name not in _STATEMENTS:
            here.names.append(name)
            here.last = name

    def _sign(self, here: _Bracket, sign: str, follows_value: bool) -> None:
        if sign in "([{":
            self._open.append(
                _Bracket(opening=sign, follows_name=follows_value and bool(here.last), is_secret=here.is_secret)
            )
        elif sign in ")]}":
            self._close(here, sign)
        elif sign == ",":
            self._separate(here)
        elif sign == ":":
            here.is_secret = here.is_secret or (here.opening == "{" and self._is_secret(here.last))
        elif sign == "=":
            here.is_secret = here.is_secret or any(map(self._is_secret, here.names))
            here.names.clear()
            here.takes_key = False
        elif sign == "\n" and len(self._open) == 1:
            self._open = [_Bracket()]

    def _close(self, here: _Bracket, sign: str) -> None:
        if len(self._open) == 1:  # it closes a bracket that was opened before this part of the code
            self._open = [_Bracket()]
            return
        self._open.pop()
        outer = self._open[-1]
        if sign == "]" and here.takes_key and outer.names:  # an item, named by its key
            outer.names[-1] = here.last
        outer.last = here.last if sign == "]" else ""

    def _separate(self, here: _Bracket) -> None:
        """Begin the next value after a comma. A value after a quoted name belongs to that name, as in a header
        field.
        """
        if not here.opening:
            return
        here.is_pair = not here.is_pair and here.last not in here.names and self._is_secret(here.last)
        here.is_secret = here.surrounding_is_secret or here.is_pair
        here.takes_key = False
        here.names.clear()
        here.last = ""


MASK = "[masked]"
MOST = 40_000
"""The maximum number of characters that are searched, unless a mask has its own limit. Any further text is cut off."""
_SHORTEST, _WORD, _LONGEST = 6, 3, 5_000
"""The minimum length of a secret that is masked within words, the minimum length of one that is masked as a whole word
or number, and the number of a secret's characters that are searched for.
"""

_SHORTEST_OF_SEVERAL = 16
"""The minimum length of a key among several separated by spaces. Shorter ones are taken for words of a phrase."""

_OF_ENVIRONMENT = re.compile("session|cookie", re.IGNORECASE)
"""Parts of environment variable names that describe a desktop or terminal and aren't secret: XDG_SESSION_TYPE."""
_NO_SECRETS = frozenset(("true", "false", "none", "null", "yes", "off"))
_BEGINNINGS = (
    *("gh[pousr]_", "github_pat_", "gl[a-z]{2,8}-", "xox[a-z]-", "xapp-", "AKIA", "ASIA", "AIza", "ya29[.]", "GOCSPX-"),
    *("SG[.]", "npm_", "pypi-", "hf_", "shp[a-z]{2}_", "do[opr]_v1_", "sq0[a-z]{3}-", "AGE-SECRET-KEY-", "lin_api_"),
    *("SK(?=[0-9a-f]{32})", "key-(?=[0-9a-f]{32})", "dapi(?=[0-9a-f]{32})", "dp[.][a-z]{2}[.]", "ATATT3"),
)
"""The prefixes of keys that services issue."""
_RANDOM = r"(?![\w-]*[a-z]{8})" + "".join(rf"(?=(?:[\w-]*?{each}){{3}})" for each in ("[a-z]", "[A-Z]", r"\d"))
"""The start of a random string, with all kinds of characters and no words."""
_NAME = "|".join(
    [*(word.replace("_", "[ _-]?") for word in ANYWHERE), *(rf"(?<![a-z]){word}(?![a-z])" for word in sorted(ALONE))]
)
_NAMED = rf"(?<![\w-])(?P<name>[\w.-]{{0,60}}?(?:{_NAME})[\w.-]{{0,60}}[\"']?\]?)"
_LITERAL = r"[bruf]{{0,2}}(?P<quote>{})(?:\\.|(?!(?P=quote)).)*(?:(?P=quote)|$)"
_SHORT, _LONG = r"\"(?!\"\")|'(?!'')", r"\"\"\"|'''"
_in_text = re.compile(
    rf"{_NAMED}(?P<sign>=|\s*[=:]\s*(?=[bruf]{{0,2}}[\"'])|\s*[=:]\s*(?=[^\s,;&]*\d))(?:{_LITERAL.format(f'{_LONG}|{_SHORT}')}|[^\s,;&\"'<>]+)",
    re.IGNORECASE | re.DOTALL,
)
_pairs_in_text = re.compile(
    rf"(?P<name>[\"'][\w.-]{{0,60}}?(?:{_NAME})[\w.-]{{0,60}}[\"'])(?P<sign>\s*,\s*){_LITERAL.format(f'{_LONG}|{_SHORT}')}",
    re.IGNORECASE | re.DOTALL,
)
_pointed_at_in_text = re.compile(
    rf"(?P<name>[\"'](?:from|path|pointer)[\"']\s*:\s*[\"'][^\"'\n]{{0,200}}?(?:{_NAME})[^\"'\n]{{0,200}}[\"'])"
    rf"(?P<sign>\s*,\s*[\"']value[\"']\s*:\s*)(?:{_LITERAL.format(f'{_LONG}|{_SHORT}')}|[^\s,;&\"'<>}}]+)",
    re.IGNORECASE | re.DOTALL,
)
_several_in_text = re.compile(rf"{_NAMED}(?P<sign>\s*[=:]\s*[\[({{])(?P<quote>)[^\])}}]+", re.IGNORECASE)
_NAMED_MASK = rf"\g<name>\g<sign>\g<quote>{MASK}\g<quote>"
_SHAPES = [
    (re.compile(pattern, re.DOTALL), replacement)
    for pattern, replacement in (
        (r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", MASK),
        (r"\b((?i:bearer|token)\s+)(?=\S*[\d._~+/=-])[\w.~+/=-]{6,}", rf"\1{MASK}"),
        (r"\b((?i:bearer)\s+)[\w.~+/=-]{12,}", rf"\1{MASK}"),
        (r"\b((?i:basic|negotiate)\s+)(?=\S*[A-Z\d=])[A-Za-z\d+/]{6,}={0,2}", rf"\1{MASK}"),
        (r"\beyJ[\w-]{5,}\.[\w-]+(?:\.[\w-]*)*", MASK),
        (r"(://)[^/\s:@\"'<>?#]*:(?!\d{1,5}(?:[/?#]|\Z))[^\s\"'<>]{0,300}@", rf"\1{MASK}@"),
        (r"\b(?:sk|pk|rk|whsec)[-_](?:[a-z]+[-_])?[\w-]{16,}", MASK),
        (rf"\b(?:{'|'.join(_BEGINNINGS)})[\w.-]{{12,}}", MASK),
        (r"\b\d{8,10}:AA[\w-]{30,}", MASK),
        (r"(hooks\.slack\.com/services/)[\w/]+", rf"\1{MASK}"),
        (r"(?i:(AccountKey|SharedAccessKey)=)[\w+/]{20,}={0,2}", rf"\1={MASK}"),
        (r"(?<![\w-])[\da-f]{48,}(?![\w-])", MASK),
        (r"(?<![\w+/-])[A-Za-z\d+/]{40,}={1,2}(?![\w=])", MASK),
        (rf"(?<![\w-]){_RANDOM}[\w-]{{32,}}={{0,2}}(?![\w-])", MASK),
    )
]
_credentials = re.compile(r"://[^/\s:@]*:([^\s\"'<>]{1,300})@").search
_digits = re.compile(r"(?<![\d-])(?<!\d\.)\d{4}([ -]?)\d{4}\1\d{4}\1\d{2,4}(?:\1\d{1,3})?(?!\d|\.\d)").sub
_HEXADECIMAL = "0123456789abcdef"


def _masked(_secret: str) -> str:
    return MASK


@lru_cache(1000)
def _is_secret_variable(name: str) -> bool:
    return is_secret_name(name) and not _OF_ENVIRONMENT.search(name)


class Mask:
    """A mask for text. It recognizes secrets by name and pattern, and those that were added to it.

    ``hide`` returns the replacement for a secret. At most ``most`` characters of text are searched, and the rest is cut
    off.
    """

    def __init__(self, hide: Callable[[str], str] = _masked, *, most: int = MOST) -> None:
        self.hide = hide
        self._most = most
        self._secrets: dict[str, frozenset[str]] = {}
        self._search: re.Pattern[str] | None = None
        self._code: dict[str, str] = {}
        for name, value in os.environ.items():
            if _is_secret_variable(name) and not value.startswith("/"):
                self.add(value if len(value) >= _SHORTEST else "")
        for key in SecretKeys.in_use():
            self.add(key.decode("utf-8", "replace"))

    def add(self, secret: str) -> None:
        """Mask a secret wherever it occurs, or as a whole word if it is short.

        If it contains credentials, also mask the password in them.
        """
        secret = _readable(secret.strip(), self._most)[:_LONGEST]
        if len(secret) >= _WORD and secret not in self._secrets and secret.lower() not in _NO_SECRETS:
            is_short = len(secret) < _SHORTEST
            self._secrets[secret] = (
                frozenset() if is_short else frozenset(filter(_is_enough, map(_letters_of, readings_of(secret))))
            )
            self._search = None
            self._code.clear()
            for password in _passwords(secret):
                self.add(password)

    def text(self, text: str) -> str:
        """Return text, such as a message, without secrets."""
        return self._of(self._by_names(_readable(text, self._most)))

    def text_by_itself(self, text: str) -> str:
        """Return text without the secrets recognized by name or pattern, ignoring added ones."""
        return self._by_shapes(self._by_names(_readable(text, self._most)))

    def code(self, text: str) -> str:
        """Return source code without secrets but with all its lines: only literals and comments are masked."""
        if text not in self._code:  # recursive frames show the same lines many times
            masked = text.encode("utf-8", "replace").decode()
            shown: list[str] = []
            end = 0
            for found, is_secret in SecretLiterals(is_secret_name).read(masked):
                literal = _masked_literal(found) if is_secret else self._literal(found)
                shown += masked[end : found.start()], literal
                end = found.end()
            self._code[text] = self._by_shapes("".join([*shown, masked[end:]]))
        return self._code[text]

    def _literal(self, found: re.Match[str]) -> str:
        shown = self._by_names(found[0])
        known = self.known(shown)
        if known == shown:
            return shown
        return _masked_literal(found) if found["quote"] else f"# {MASK}"

    def known(self, text: str) -> str:
        """Return text without the added secrets. If it contains one in another notation, nothing of it is returned."""
        if not self._secrets:
            return text
        if self._search is None:
            longest_first = sorted(self._secrets, key=len, reverse=True)
            self._search = re.compile("|".join(map(_pattern_of, longest_first)), re.IGNORECASE | re.DOTALL)
        shown = self._without(text, self._search, MASK)
        for reading in readings_of(shown):
            written = _letters_of(reading)
            if self._search.search(reading) or any(each in written for few in self._secrets.values() for each in few):
                return self.hide(text) + "\n" * text.count("\n")
        return shown

    def _of(self, text: str) -> str:
        return self._by_shapes(self.known(text))

    def _by_shapes(self, text: str) -> str:
        if len(text) < _SHORTEST:
            return text
        for shape, replacement in _SHAPES:
            text = self._without(text, shape, replacement)
        return _digits(self._without_card, text)

    def _by_names(self, text: str) -> str:
        """Return text without the values that follow secrets' names."""
        if len(text) < _SHORTEST:
            return text
        shown = self._without_named(text)
        if not shown.isascii() and (reading := normalize("NFKC", shown)) != shown:  # as in ``is_secret_name``
            return shown if self._without_named(reading) == reading else self.hide(text) + "\n" * text.count("\n")
        return shown

    def _without_named(self, text: str) -> str:
        for named in (_pairs_in_text, _pointed_at_in_text, _several_in_text, _in_text):
            text = self._without(text, named, _NAMED_MASK)
        return text

    def _without(self, text: str, secret: re.Pattern[str], replacement: str) -> str:
        """Replace matches in text, except for line endings."""
        return secret.sub(lambda found: self._replaced(found, replacement), text)

    def _replaced(self, found: re.Match[str], replacement: str) -> str:
        before, _, after = found.expand(replacement).partition(MASK)
        masked = f"{before}{self.hide(found[0][len(before) : len(found[0]) - len(after)])}{after}"
        return masked + "\n" * (found[0].count("\n") - masked.count("\n"))

    def _without_card(self, found: re.Match[str]) -> str:
        return self.hide(found[0]) if is_card_number(found[0]) and not _is_in_id(found) else found[0]


def _is_in_id(found: re.Match[str]) -> bool:
    """Return True for digits within 32 of hexadecimal: one request id in some thousands has a card's number."""
    before, after = found.string[: found.start()][-32:], found.string[found.end() :][:32]
    around = len(before) - len(before.rstrip(_HEXADECIMAL)) + len(after) - len(after.lstrip(_HEXADECIMAL))
    return len(found[0]) + around >= 32


def _passwords(secret: str) -> Iterator[str]:
    """Yield the parts of a secret that are secrets themselves: a password in a URL or in credentials, or each of
    several keys.
    """
    if url := _credentials(secret):
        yield unquote(url[1])
    several = [part for part in secret.split() if len(part) >= _SHORTEST_OF_SEVERAL]
    if several != [secret]:
        yield from several
    scheme, _, credentials = secret.partition(" ")
    if scheme.lower() == "bearer":
        yield credentials
    elif scheme.lower() == "basic":
        with suppress(ValueError):
            yield b64decode(credentials).decode("utf-8", "replace").partition(":")[2]


def _pattern_of(secret: str) -> str:
    """Return a pattern for a secret as it is, which for a short one must not be part of a longer word or number."""
    if len(secret) >= _SHORTEST:
        return re.escape(secret) + ".*" * (len(secret) == _LONGEST)
    kind = r"\d" if secret.isdigit() else r"[^\W_]"
    return f"(?<!{kind}){re.escape(secret)}(?!{kind})"


_NOTATIONS = (
    re.compile(r"(?P<bytes>(?:\\+x[0-9a-fA-F]{2})+)|\\+(?:u(?P<u>[0-9a-fA-F]{4})|U(?P<U>[0-9a-fA-F]{8})|[abfnrtv0])"),
    re.compile("(?P<bytes>(?:%[0-9a-fA-F]{2})+)"),
    re.compile(r"(?P<html>&(?:#\w{1,8}|\w{2,8});)"),
)
"""Escapes of Python and JSON, of URLs, and of HTML and XML."""
_drop_marks = re.compile(r"[\W_]+").sub
_MOST_READINGS = 16


def readings_of(text: str) -> Iterator[str]:
    """Yield text as it is written and as each of the notations in it represents it.

    Whatever writes a text, such as Python, JSON, a URL or a shell, leaves most letters as they are, and puts marks or
    escapes in the place of other characters. So the letters and digits of a reading are compared with a secret's.
    """
    readings = [text]
    for reading in readings:
        yield reading
        for notation in _NOTATIONS:
            other = notation.sub(_unescaped, reading)
            if other != reading and len(readings) < _MOST_READINGS:
                other = other.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
                if other not in readings:
                    readings.append(other)


def _letters_of(text: str) -> str:
    return _drop_marks("", text.casefold())


def _unescaped(found: re.Match[str]) -> str:
    groups = found.groupdict()
    if groups.get("html"):
        return unescape(found[0])
    if groups["bytes"]:
        data = bytes.fromhex("".join(re.findall(r"[x%](..)", found[0])))
        with suppress(UnicodeDecodeError):
            return data.decode()
        return data.decode("latin-1")
    code = int(found["u"] or found["U"] or "20", 16)
    return chr(code) if code <= 0x10FFFF else ""


def _is_enough(form: str) -> bool:
    return len(form) >= _WORD


def _readable(text: str, most: int) -> str:
    """Return the beginning of text, with characters that UTF-8 can't encode replaced."""
    return text[:most].encode("utf-8", "replace").decode()


def _masked_literal(found: re.Match[str]) -> str:
    return f"{found['quote']}{MASK}{found['quote']}" + "\n" * found["inside"].count("\n")


def is_card_number(text: str) -> bool:
    """True for 13 to 19 digits if the last is a card number's check digit (ISO/IEC 7812-1)."""
    digits = [int(digit) for digit in text if digit.isdigit()]
    return 13 <= len(digits) <= 19 and checksum(digits) % 10 == 0


def checksum(digits: list[int]) -> int:
    """Return the sum of a card number's digits, with every other digit doubled."""
    return sum(each if index % 2 == 0 else sum(divmod(2 * each, 10)) for index, each in enumerate(digits[::-1]))
