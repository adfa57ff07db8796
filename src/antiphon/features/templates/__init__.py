"""Pages of HTML, rendered by Jinja2: the whole of a page, some of its blocks, or its values in JSON."""
