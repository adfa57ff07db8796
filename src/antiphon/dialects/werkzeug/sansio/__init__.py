"""`werkzeug.sansio`: requests, responses, header values, URLs and forms in parts, without an environ and I/O."""
