from asok import Asok

app = Asok()
app.config["SECRET_KEY"] = "a key for tests, of more than 32 characters"
