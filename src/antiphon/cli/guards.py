"""Guards of `antiphon run` around a program of another library, and their error messages."""

from typing import TYPE_CHECKING, Any, NamedTuple

from antiphon.cli.errors import BadCommand
from antiphon.cli.interface import Choice, spoken_interface

if TYPE_CHECKING:
    from antiphon.app.application import App


class Guards(NamedTuple):
    """Checks of requests before they reach a program, and headers to add to its responses."""

    trusted_hosts: tuple[str, ...] = ()
    refuse_cross_site: bool = False
    max_body: int | None = None
    """The maximum size of a body in bytes; None leaves that to the program."""
    security_headers: bool = False

    def around(self, program: Any, requested: Choice | None, name: str) -> "App":
        """Return an application that passes to a program only what these guards accept. Error messages use ``name``.

        With ``max_body``, bodies are received before the program is called; without it, the program receives them.

        Raises BadCommand for an App of Antiphon, which has its own settings, or for a program that speaks only RSGI.
        """
        from antiphon.app.application import App  # imported late: the supervisor does not need them
        from antiphon.features.security_headers import SecurityHeaders
        from antiphon.http.limits import Limits

        if isinstance(program, App):
            raise BadCommand(f"{name} is an App of Antiphon, which has its own guards: {self._in_code()}.")
        interface = spoken_interface(program, requested)
        if interface == "rsgi":
            raise BadCommand(f"{name} speaks only RSGI, but guards need WSGI or ASGI.")
        app = App(trusted_hosts=self.trusted_hosts, cross_site_writes=not self.refuse_cross_site)
        if self.security_headers:
            app.use(SecurityHeaders())
        if self.max_body is None:
            app.mount("", program, interface=interface, receive="stream")
        else:
            app.mount("", program, interface=interface, limits=Limits(body=self.max_body))
        app._freeze()
        return app

    def _in_code(self) -> str:
        """Return the equivalent code for a program with an App."""
        settings = [f"trusted_hosts={[*self.trusted_hosts]}"] if self.trusted_hosts else []
        if self.max_body is not None:
            settings.append(f"limits=Limits(body={self.max_body})")
        statements = [f"App({', '.join(settings)})"] if settings else []
        if self.security_headers:
            statements.append("app.use(SecurityHeaders())")
        return f"write {' and '.join(statements)}" if statements else "it refuses writes from other sites by default"


NO_GUARDS = Guards()
