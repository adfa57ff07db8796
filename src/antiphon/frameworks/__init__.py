"""Support for other frameworks: their requests as ours, our responses as theirs, and views for all of them."""
