"""The User-Agent header as in `werkzeug.user_agent`, with a base class for other parsers."""

from antiphon.http import UserAgent as ParsedUserAgent

_BROWSERS = {"internet explorer": "msie", "android browser": "android"}


class UserAgent:
    """A User-Agent header: its value as ``string``, and its details, which are None if unknown.

    It is truthy if the browser is known. A subclass may set ``platform``, ``browser``, ``version`` and ``language`` in
    its constructor.
    """

    platform: str | None = None
    """The system, in lower case, such as "windows", "macos", "linux", "android" or "ios"."""
    browser: str | None = None
    """The browser, in lower case, such as "chrome", "firefox", "safari" or "msie"."""
    version: str | None = None
    """The browser's version, as written in the header."""
    language: str | None = None
    """The language that old browsers include."""

    def __init__(self, string: str) -> None:
        self.string = string

    def to_header(self) -> str:
        return self.string

    def __str__(self) -> str:
        return self.string

    def __bool__(self) -> bool:
        return bool(self.browser)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.browser}/{self.version}>"


class KnownUserAgent(UserAgent):
    """A User-Agent header with details of common browsers, parsed on first use."""

    def __init__(self, string: str) -> None:
        super().__init__(string)
        self._parsed = ParsedUserAgent(string)

    @property
    def platform(self) -> str | None:  # type: ignore[override]  # the base class allows setting it
        """The system, in lower case."""
        return _lower(self._parsed.os)

    @property
    def browser(self) -> str | None:  # type: ignore[override]
        """The browser, in lower case."""
        name = _lower(self._parsed.browser)
        return _BROWSERS.get(name, name) if name else None

    @property
    def version(self) -> str | None:  # type: ignore[override]
        """The browser's version, as written in the header."""
        return self._parsed.browser_version

    @property
    def language(self) -> str | None:  # type: ignore[override]
        """The language that old browsers include."""
        return self._parsed.language


def _lower(text: str | None) -> str | None:
    return text and text.lower()
