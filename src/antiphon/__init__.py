"""A web framework for pages and APIs: one handler, `def` or `async def`, over WSGI, ASGI and RSGI.

    from dataclasses import dataclass
    from antiphon import App, Request

    app = App()

    @dataclass
    class Lamp:
        name: str
        price: int

    @app.post("/lamps/<int:number>")
    def add(request: Request, number: int):
        return request.json_as(Lamp), 201  # an invalid body gets a 422

`antiphon run module:app` serves it. `request.form`, `.files`, `.args` and `.cookies` need no `await`. Features are in
`antiphon.features` (`app.use(Sessions(...))`), the test client is in `antiphon.testing`, and HTTP header values are in
`antiphon.http`.

This version's documentation is installed with it: `antiphon docs` lists its pages, `antiphon docs websockets` prints
one, and `antiphon docs file upload` searches them. `antiphon explain` explains errors.
"""

from antiphon.lazy import import_on_use

__reads__ = ()

__version__ = "0.1.0"

__all__, __getattr__, __dir__ = import_on_use(__name__)
