"""Spools to test on, in memory and in a file, and what a process has open."""

import gc
import os
import random
from typing import NamedTuple

from antiphon.uploads.spool import Spool
from antiphon.uploads.upload import Upload

CONTENT = random.Random(1).randbytes(300_000)


class Head(NamedTuple):
    content_type: str | None = None
    fields: tuple[tuple[bytes, bytes], ...] = ()


def in_memory(content=CONTENT):
    spool = Spool(threshold=len(content))
    spool.write(content)
    return spool


def in_file(content=CONTENT):
    spool = in_memory(content)
    spool.flush()
    return spool


def in_both(content=CONTENT):
    spool = in_file(content[: len(content) // 2])
    spool.write(content[len(content) // 2 :])
    return spool


SPOOLS = {"in memory": in_memory, "in a file": in_file, "in both": in_both}


def upload(content=CONTENT, make=in_memory, filename="photo.png", head=Head()):  # noqa: B008 - immutable
    spool = make(b"before" + content + b"after")
    return Upload(spool, 6, len(content), head, name="field", filename=filename), spool


def opened_in(folder):
    """The state of the one file in a folder that this process has open."""
    opened = [f"/proc/self/fd/{name}" for name in os.listdir("/proc/self/fd")]
    (path,) = [path for path in opened if os.path.realpath(path).startswith(os.fspath(folder))]
    return os.stat(path)


def descriptors():
    """How many files this process has open, without what other tests have left in cycles."""
    gc.collect()
    return len(os.listdir("/dev/fd"))
