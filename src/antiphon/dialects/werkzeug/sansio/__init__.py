"""The parts of `werkzeug.sansio` for responses, header values and URLs. Requests without an environ are not offered."""
