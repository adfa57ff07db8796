"""What the bakery sells, and who may order."""

LOAVES = [
    {"id": 1, "name": "Rye", "price": 4.5, "tags": ["dark", "sour"], "text": "Baked <twice> & slowly."},
    {"id": 2, "name": "Spelt", "price": 5.25, "tags": [], "text": ""},
    {"id": 3, "name": "Baguette", "price": 1.8, "tags": ["white"], "text": "With salt."},
]
CUSTOMERS = {"ada@example.com": ("Ada", "correct horse"), "bo@example.com": ("Bo & Co", "battery staple")}


def loaf_of(number):
    return next((loaf for loaf in LOAVES if str(loaf["id"]) == str(number)), None)
