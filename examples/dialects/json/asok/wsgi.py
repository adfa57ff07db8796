from antiphon.dialects.asok import Asok

app = Asok()
app.config["CSRF"] = False  # clients of this program have no page with a token
