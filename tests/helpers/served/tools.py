"""Lamps as tools: reads, writes that need a login, a stream, a prompt and a resource; the tests' names for each."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from antiphon import App, Request, abort
from antiphon.features import Bearer, OpenAPI, Tool, Tools, Users, login_required


@dataclass
class Lamp:
    """A lamp of the shop."""

    name: str
    price: int


USERS = {"of-ann": "Ann", "of-bob": "Bob"}


def make_app() -> App:
    """Return the application; each has lamps of its own."""
    app = App(secret_keys=["of a test, and not secret"], trusted_hosts=["localhost", "127.0.0.1", "testserver"])
    api = OpenAPI("Lamps", version="2", prefix="/api", description="The lamps of a shop.")
    app.use(api)
    app.use(Users(Bearer(USERS.get)))
    tools = Tools(api, resources=["about"], max_result=20_000)
    app.use(tools)
    lamps = {1: Lamp("Globe", 40)}

    @tools.prompt
    def praise(lamp: str, tone: str = "kind") -> str:
        """Praise a lamp."""
        return f"Praise the lamp {lamp} in a {tone} tone."

    @app.get("/about")
    def about(request: Request) -> str:
        """Who we are."""
        return "We sell lamps."

    @app.get("/api/lamps", tool=True)
    def list_lamps(request: Request) -> list[Lamp]:
        """List all lamps."""
        return [*lamps.values()]

    @app.get("/api/lamps/<int:number>", tool=True)
    def show_lamp(request: Request, number: int) -> Lamp:
        """Show a lamp."""
        return lamps.get(number) or abort(404, f"There is no lamp {number}.")

    @app.put("/api/lamps/<int:number>", tool=True, before=login_required)
    def change_lamp(request: Request, number: int) -> Lamp:
        """Change a lamp.

        Its number stays the same.
        """
        lamps[number] = request.json_as(Lamp)
        return lamps[number]

    @app.delete("/api/lamps/<int:number>", tool=Tool(confirm="Delete lamp {number}?"), before=login_required)
    def delete_lamp(request: Request, number: int) -> None:
        """Delete a lamp."""
        lamps.pop(number, None)

    @app.get("/api/countdown", tool=True)
    async def countdown(request: Request) -> AsyncIterator[int]:
        """Count from three to one."""
        for number in (3, 2, 1):
            yield number

    @app.get("/api/secret")
    def secret(request: Request) -> str:
        """Tell a secret."""
        return "a secret"

    return app


app = make_app()
