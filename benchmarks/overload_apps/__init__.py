"""The applications of `benchmarks.overload`, each with the same routes and the same work."""

import hashlib
import os
import time

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "16000"))
"""Rounds of hashing of one request: some ten milliseconds."""
CHUNKS = 3
"""Chunks of a stream, a tenth of a second apart."""

WAIT = 0.005
"""Seconds for which a handler waits for a database, or would."""
SLOW = 0.5
"""Seconds for which a handler waits for a dependency that has become slow."""


def work(part: float = 1.0) -> str:
    """Compute, without a call that lets other threads run; return how many nanoseconds of CPU time the whole takes."""
    began, digest = time.thread_time_ns(), b""
    for _ in range(int(ROUNDS * part)):
        digest = hashlib.sha256(digest).digest()
    return f"{digest.hex()} {(time.thread_time_ns() - began) / part:.0f}\n"
