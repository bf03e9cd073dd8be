"""What each page shows, as pure functions: rows in, plain values out. Nothing here knows a browser or a database."""
