"""Forms of files, read record by record: each says where it stands, and comes back to where it stood."""
