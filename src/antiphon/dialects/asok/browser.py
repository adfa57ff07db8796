"""The browser of a request, by its User-Agent."""

from antiphon.http import UserAgent

_UNKNOWN = "Unknown"


class Browser:
    """A browser's ``name``, its system ``os``, and ``is_mobile``, from the User-Agent, which is in ``raw``."""

    def __init__(self, user_agent: UserAgent) -> None:
        self.raw = str(user_agent)
        self.name = user_agent.browser or _UNKNOWN
        self.os = user_agent.os or _UNKNOWN
        self.is_mobile = user_agent.is_mobile

    def __str__(self) -> str:
        return self.raw
