"""Notes that a form adds, guarded by CSRF tokens, with a flash message for each; and a page that attacks a server.

``unchecked`` lets writes of other sites through, but for the tokens.
"""

from html import escape

from antiphon import App, Response
from antiphon.features import CSRFTokens, Flash, MemoryStore, Sessions, csrf_input, csrf_token

FORM = """<!doctype html><title>Notes</title>{messages}
<form method=post action=/notes enctype={enctype}>{token}
<input name=text value="a note"><input type=file name=file></form>
<ul>{notes}</ul>"""
ATTACK = """<!doctype html><title>Attack</title><form method=post action="{target}/notes" enctype="{enctype}">
<input name=text value=evil><input name=csrf_token value="{token}"></form>"""


def make_app(**options):
    app, notes = App(**options), []
    app.use(Sessions(MemoryStore()))
    app.use(Flash())
    app.use(CSRFTokens())

    @app.get("/")
    def page(request):
        messages = "".join(
            f"<p class={escape(each.category)}>{escape(each.message)}</p>" for each in request.flash.take()
        )
        shown = "".join(f"<li>{escape(note)}</li>" for note in notes)
        enctype = escape(request.args.get("enctype", "multipart/form-data"))
        return Response.html(FORM.format(messages=messages, notes=shown, enctype=enctype, token=csrf_input(request)))

    @app.get("/token")
    def token(request):
        return csrf_token(request)

    @app.post("/notes")
    async def add(request):
        notes.append(request.form["text"])
        request.flash(f"<{request.form['text']}> is added.", "success")
        return Response.redirect("/")

    @app.get("/attack")
    def attack(request):
        args = {name: escape(request.args.get(name, "")) for name in ("target", "enctype", "token")}
        return Response.html(ATTACK.format(**args))

    return app


app = make_app()
unchecked = make_app(cross_site_writes=True)
