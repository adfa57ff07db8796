from asok import Asok
from bakery import LOAVES

app = Asok()
app.share(shop="Baker Street", loaves=len(LOAVES))
app.share(customer=lambda request: request.session.get("customer"))
