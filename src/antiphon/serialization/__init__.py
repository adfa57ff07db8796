"""Reading and writing JSON, and reading bodies, forms and queries as a type. Imported on first use, because it loads
msgspec.
"""
