from asok import Asok

app = Asok()
app.template_context(site_name="The Gazette", version="1.0")
app.template_context(visitor=lambda r: r.args.get("name", "stranger"))
