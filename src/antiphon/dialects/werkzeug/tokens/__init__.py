"""Header values as text: the parsers and printers that differ from those of `antiphon.http`.

A test lists the differences, header by header.
"""
