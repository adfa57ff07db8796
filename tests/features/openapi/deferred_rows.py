"""Dicts whose annotations are text, so that Python itself does not know which fields they require."""

from __future__ import annotations

from typing import NotRequired, Required, TypedDict


class Row(TypedDict):
    a: int
    b: NotRequired[int]


class Less(TypedDict, total=False):
    a: Required[int]
    b: int
