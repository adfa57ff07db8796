from asok import Asok

app = Asok()
app.share(site_name="The Gazette", version="1.0")
app.share(visitor=lambda r: r.args.get("name", "stranger"))
