"""Challenges of responses, whose realm is in quotes."""

from antiphon.dialects.werkzeug import wrappers
from antiphon.dialects.werkzeug.datastructures import auth
from antiphon.dialects.werkzeug.http import dump_header, quote_header_value


class WWWAuthenticate(auth.WWWAuthenticate):
    """A challenge. Its realm is in quotes, as RFC 9110 §11.5 demands."""

    def _printed_parameters(self) -> str:
        if self.type == "digest":
            return super()._printed_parameters()
        return ", ".join(
            [
                f"realm={quote_header_value(value, False)}" if name == "realm" else dump_header({name: value})
                for name, value in self.parameters.items()
            ]
        )


class WWWAuthenticateMixin(wrappers.WWWAuthenticateMixin):
    """An attribute for the challenges of a response."""

    challenge_class = WWWAuthenticate
