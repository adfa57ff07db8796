"""Twelve small programs, each in a folder: a file for Antiphon's own API, and one for each dialect.

`docs/reference/dialects.md` shows them, `tests/examples/test_dialects.py` asks all of them for the same answers, and
`benchmarks/side_by_side.py` measures them next to the original libraries.
"""
