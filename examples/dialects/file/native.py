from pathlib import Path

from antiphon import App, Request, Response

app = App()


@app.get("/")
def prices(request: Request):
    path = Path(__file__).with_name("prices.csv")
    return Response.file(path, as_attachment=True)
