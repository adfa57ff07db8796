from antiphon.app.channel_log import ChannelLog, Entry, Position
from antiphon.app.store import check_ttl, decode, encode, hash_key, unavailable

__all__ = ["ChannelLog", "Entry", "Position", "check_ttl", "decode", "encode", "hash_key", "unavailable"]
