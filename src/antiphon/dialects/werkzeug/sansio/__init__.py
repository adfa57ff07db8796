"""`werkzeug.sansio`: requests, responses, header values, URLs and multipart forms, without an environ or I/O."""
