"""One supervision: journal and state become tables, lights, statistics and a page."""
