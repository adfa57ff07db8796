"""The User-Agent header as in `werkzeug.user_agent`: a base class for other parsers."""

from antiphon.http import UserAgent as ParsedUserAgent

_BROWSERS = {"internet explorer": "msie", "android browser": "android"}


class UserAgent:
    """The header's value as ``string``, and its details, which are None if unknown. It is truthy if it names a browser.

    A subclass may set ``platform``, ``browser``, ``version`` and ``language`` in its constructor.
    """

    platform: str | None = None
    """The system, in lower case: "windows", "macos", "linux", "android", "ios"."""
    browser: str | None = None
    """The browser, in lower case: "chrome", "firefox", "safari", "msie"."""
    version: str | None = None
    """The browser's version, as written."""
    language: str | None = None
    """The language given by old browsers."""

    def __init__(self, string: str) -> None:
        self.string = string

    def to_header(self) -> str:
        """Return the header's value."""
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
    def platform(self) -> str | None:  # type: ignore[override]  # a subclass of UserAgent may have any attribute
        """The system, in lower case."""
        return _lower(self._parsed.os)

    @property
    def browser(self) -> str | None:  # type: ignore[override]
        """The browser, in lower case."""
        name = _lower(self._parsed.browser)
        return _BROWSERS.get(name, name) if name else None

    @property
    def version(self) -> str | None:  # type: ignore[override]
        """The browser's version, as written."""
        return self._parsed.browser_version

    @property
    def language(self) -> str | None:  # type: ignore[override]
        """The language given by old browsers."""
        return self._parsed.language


def _lower(text: str | None) -> str | None:
    return text and text.lower()
