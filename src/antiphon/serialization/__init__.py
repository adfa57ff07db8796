"""Reading and writing JSON; reading bodies, forms and queries as a type. Imported on first use, as it loads msgspec."""
