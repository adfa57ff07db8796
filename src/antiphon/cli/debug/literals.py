"""Literals in source code that are secrets by the names around them: of variables, parameters and items."""

import re
from collections.abc import Callable, Iterator

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
    """The text in one pair of brackets, or outside of all: what was named in it so far, and whether that is secret."""

    def __init__(self, *, opening: str = "", follows_name: bool = False, is_secret: bool = False) -> None:
        self.opening = opening
        self.takes_key = follows_name and opening != "{"
        """True until the first value of a call or of a subscript has ended, which is often a name."""
        self.surrounding_is_secret = self.is_secret = is_secret
        self.names: list[str] = []
        self.last = ""
        """The name or literal that came last, to which a comma, a colon or a comparison refers."""
        self.is_pair = False


class SecretLiterals:
    """A reader of source code, or of a part of it, which yields the literals that may be shown, and those that may not.

    ``is_secret`` says whether a name is that of a secret.
    """

    def __init__(self, is_secret: Callable[[str], bool]) -> None:
        self._is_secret = is_secret
        self._open = [_Bracket()]

    def read(self, code: str) -> Iterator[tuple[re.Match[str], bool]]:
        """Yield each literal and each comment in code, and True for a literal that is secret by its place."""
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
        if len(self._open) == 1:  # of what began before this part of the code
            self._open = [_Bracket()]
            return
        self._open.pop()
        outer = self._open[-1]
        if sign == "]" and here.takes_key and outer.names:  # an item, whose name is its key
            outer.names[-1] = here.last
        outer.last = here.last if sign == "]" else ""

    def _separate(self, here: _Bracket) -> None:
        """Begin the next value after a comma. The one after a name in quotes belongs to it, as in a header field."""
        if not here.opening:
            return
        here.is_pair = not here.is_pair and here.last not in here.names and self._is_secret(here.last)
        here.is_secret = here.surrounding_is_secret or here.is_pair
        here.takes_key = False
        here.names.clear()
        here.last = ""
