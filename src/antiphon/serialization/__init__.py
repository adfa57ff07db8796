"""JSON; bodies, forms and query arguments as values of a type. Imported when first used, because it loads msgspec."""
