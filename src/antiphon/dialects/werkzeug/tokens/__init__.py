"""Header values as text, where Werkzeug reads or prints them otherwise than `antiphon.http` does.

All else is left to `antiphon.http`. A test lists the differences, header by header.
"""
