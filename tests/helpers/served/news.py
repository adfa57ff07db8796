"""A channel in the store that ``STORE`` names: its messages, and who is there."""

import os

from antiphon import App, Response
from antiphon.features import Channel, MissedMessages
from tests.helpers.stores import store_at

app = App()
news = Channel("news", store_at(os.environ["STORE"], timeout=1), max_messages=1000, lease=1)


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
