"""What releases wrote, and all later ones have to read. Add to it; change nothing."""

from datetime import UTC, datetime

EVERYTHING = {
    "none": None, "yes": True, "int": -(2**40), "float": 1.5, "text": "ä\0", "bytes": b"\0\xff",
    "moment": datetime(2026, 1, 2, 3, 4, 5, 678901, UTC), "list": [1, [2], {"x": {}}], "": {},
}  # fmt: skip

VALUES_1 = {
    "none": "c0", "yes": "c3", "int": "d3 ffffff0000000000", "float": "cb 3ff8000000000000", "text": "a3 c3a400",
    "bytes": "c4 02 00ff", "moment": "d7 ff a1dcd420695735a5", "list": "93 01 91 02 81 a178 80", "": "80",
}  # fmt: skip
"""MessagePack, in hexadecimal digits."""

FORMAT_1 = b"\x01\x89" + b"".join(
    bytes([0xA0 + len(name)]) + name.encode() + bytes.fromhex(value) for name, value in VALUES_1.items()
)
"""The data as one, after a byte."""

FORMAT_1_FIELDS = {"f": b"\x01", "v": "5", "c": "1.5", "m": "2.5", "x": "9000000000000.0"} | {
    f".{name}": bytes.fromhex(value) for name, value in VALUES_1.items()
}
"""The data as fields of a hash."""

NEWER = b"\x02whatever it may be"
