"""Files in MaxMind's format (maxmind.github.io/MaxMind-DB), as small as they can be."""

import struct
from ipaddress import ip_network

UINT16, UINT32, UINT64 = 5, 6, 9
RECORD_BYTES = 3
"""Bytes of one of the two records of a node."""


def mmdb(records, *, ip_version=6):
    """The bytes of a file in which networks have records: dicts of text, numbers, lists and dicts."""
    bits = 128 if ip_version == 6 else 32
    nodes = [[None, None]]
    data = bytearray()
    for text, record in records.items():
        network = ip_network(text)
        number = int(network.network_address) << (bits - network.max_prefixlen if ip_version == 4 else 0)
        length = network.prefixlen + bits - network.max_prefixlen
        node = 0
        for depth in range(length):
            bit = number >> (bits - 1 - depth) & 1
            if depth == length - 1:
                nodes[node][bit] = ~len(data)
            elif nodes[node][bit] is None:
                nodes[node][bit] = len(nodes)
                nodes.append([None, None])
            node = nodes[node][bit]
        data += _encoded(record)
    count = len(nodes)
    tree = b"".join(_pointer(each, count).to_bytes(RECORD_BYTES, "big") for node in nodes for each in node)
    metadata = {
        "binary_format_major_version": _number(UINT16, 2),
        "binary_format_minor_version": _number(UINT16, 0),
        "build_epoch": _number(UINT64, 1),
        "database_type": "Test-City",
        "description": {"en": "A test"},
        "ip_version": _number(UINT16, ip_version),
        "languages": ["en"],
        "node_count": _number(UINT32, count),
        "record_size": _number(UINT16, RECORD_BYTES * 8),
    }
    return tree + bytes(16) + bytes(data) + b"\xab\xcd\xefMaxMind.com" + _encoded(metadata)


def _pointer(record, count):
    if record is None:
        return count
    return record if record >= 0 else count + 16 + ~record


def _encoded(value):
    match value:
        case str():
            return _control(2, len(value.encode())) + value.encode()
        case float():
            return _control(3, 8) + struct.pack(">d", value)
        case int():
            return _number(UINT32, value)
        case bytes():
            return value  # encoded before
        case dict():
            pairs = b"".join(_encoded(key) + _encoded(each) for key, each in value.items())
            return _control(7, len(value)) + pairs
        case list():
            return _control(11, len(value)) + b"".join(map(_encoded, value))


def _number(kind, number):
    data = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return _control(kind, len(data)) + data


def _control(kind, size):
    """A control byte, the size behind it if it is above 28, and the kind if that is above 7."""
    first = min(size, 29)
    extended = bytes([kind - 7]) if kind > 7 else b""
    return bytes([(0 if kind > 7 else kind) << 5 | first]) + extended + (bytes([size - 29]) if first == 29 else b"")
