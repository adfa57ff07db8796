from html import escape

from antiphon import App, Request, Response

app = App()


@app.post("/")
def greet(request: Request):
    colours = " and ".join(request.form.getall("colour"))
    return Response.html(escape(f"{request.form['name']} likes {colours}."))
