from antiphon.app.store import (  # fmt: skip
    ChannelLog,
    Entry,
    Position,
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
