"""What `werkzeug.sansio` has of responses, header values and URLs. Requests without an environ are not offered."""
