"""Templates of Jinja2, rendered and streamed as features and dialects need them."""
