"""HTML pages rendered with Jinja2: a whole page, some of its blocks, or its values in JSON."""
