from antiphon.dialects.flask import Flask

app = Flask(__name__)


@app.after_request
def add_version(response):
    response.headers["X-Version"] = "7"
    return response


@app.get("/")
def hello():
    return "Hello, world!"
