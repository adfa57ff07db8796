from antiphon.dialects.asok import Asok

app = Asok()
