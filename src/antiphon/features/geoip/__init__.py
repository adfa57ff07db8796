"""GeoIP of clients, looked up in a file by IP address."""
