from asok import Asok
from bakery import LOAVES

app = Asok()
app.template_context(shop="Baker Street", loaves=len(LOAVES))
app.template_context(customer=lambda request: request.session.get("customer"))
