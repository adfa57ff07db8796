"""A channel in the Valkey, or the file of SQLite, that ``STORE`` names: its messages, and who is there."""

import os

from antiphon import App, Response
from antiphon.features import Channel, MissedMessages, SQLiteStore, ValkeyStore

app = App()
url = os.environ["STORE"]
store = ValkeyStore(url, timeout=1) if "://" in url else SQLiteStore(url)
news = Channel("news", store, max_messages=1000, lease=1)


@app.get("/events")
async def events(request):
    return Response.events(news.follow(request.last_event_id), retry=0.1)


@app.get("/events-of-def")
def events_of_def(request):
    return Response.events(news.follow(request.last_event_id), retry=0.1)


@app.post("/send")
async def send(request):
    return await news.asend(request.json)


@app.post("/send-now")
def send_now(request):
    return news.send(request.json)


@app.get("/who")
def who(request):
    return news.members()


@app.websocket("/room")
async def room(request, socket):
    async with news.present(request.args["name"]), news.listen(since=request.args.get("since")) as messages:
        await socket.send("listening")
        async for message in messages:
            await socket.send(message._asdict() if isinstance(message, MissedMessages) else [message.id, message.value])
