from antiphon.dialects.microdot.asgi import Microdot

app = Microdot()


async def rows():
    yield "lamp,price\n"
    for number in range(3):
        yield f"lamp {number},{20 + number}\n"


@app.get("/")
async def prices(request):
    return rows(), {"Content-Type": "text/csv"}
