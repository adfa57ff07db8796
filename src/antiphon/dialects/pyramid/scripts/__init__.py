"""Commands of Pyramid: `pserve`, for programs that call it."""
