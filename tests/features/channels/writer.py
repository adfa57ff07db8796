"""A process that sends numbers to a channel for ever, and says the id of each that was sent."""

import os
import sys
from itertools import count

from antiphon.features import Channel
from tests.helpers.stores import store_at

if __name__ == "__main__":
    url = sys.argv[1]
    news = Channel("news", store_at(url), max_messages=100_000)
    for number in count():
        os.write(1, f"{news.send(number)}\n".encode())
