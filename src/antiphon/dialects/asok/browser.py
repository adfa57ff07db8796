"""The browser of a request, by its User-Agent."""

from antiphon.http.user_agent import UserAgent


class Browser:
    """A browser's ``name``, its system ``os``, and ``is_mobile``, as the User-Agent has them."""

    def __init__(self, user_agent: UserAgent | None) -> None:
        self.name: str = (user_agent and user_agent.browser) or "Unknown"
        self.os: str = (user_agent and user_agent.os) or "Unknown"
        self.is_mobile: bool = bool(user_agent and user_agent.is_mobile)

    def __str__(self) -> str:
        return f"{self.name} on {self.os}"
