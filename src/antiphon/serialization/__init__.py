"""JSON read and written; bodies, forms and queries read as a type. Imported on first use, since it loads msgspec."""
