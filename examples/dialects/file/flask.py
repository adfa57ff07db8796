from pathlib import Path

from antiphon.dialects.flask import Flask, send_file

app = Flask(__name__)


@app.get("/")
def prices():
    path = Path(__file__).with_name("prices.csv")
    return send_file(path, as_attachment=True)
