"""The User-Agent header of a request."""

from typing import Any

from antiphon.dialects.werkzeug.user_agent import KnownUserAgent, UserAgent


class UserAgentMixin:
    """An attribute for User-Agent, as an object of ``user_agent_class``."""

    environ: dict[str, Any]
    user_agent_class: type[UserAgent] = KnownUserAgent

    @property
    def user_agent(self) -> UserAgent:
        """The user agent (RFC 9110 §10.1.5). Its ``string`` is the header."""
        raw: str = self.environ.get("HTTP_USER_AGENT", "")
        kept: UserAgent | None = self.__dict__.get("user_agent")
        if kept is None or kept.string != raw:
            kept = self.__dict__["user_agent"] = self.user_agent_class(raw)
        return kept

    @user_agent.setter
    def user_agent(self, value: UserAgent) -> None:
        self.__dict__["user_agent"] = value


__all__ = ["UserAgent", "UserAgentMixin"]
