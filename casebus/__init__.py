"""Where everything meets, and nothing else: the command and the wiring."""
