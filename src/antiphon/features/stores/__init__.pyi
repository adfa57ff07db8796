from antiphon.app.channel_log import ChannelLog, Entry, Position
from antiphon.app.store import (
    StoredKind,
    check_ttl,
    decode,
    decode_value,
    encode,
    encode_value,
    hash_key,
    owned_entries,
    unavailable,
)

__all__ = [
    "ChannelLog", "Entry", "Position", "StoredKind", "check_ttl", "decode", "decode_value", "encode", "encode_value",
    "hash_key", "owned_entries", "unavailable",
]  # fmt: skip
