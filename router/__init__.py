"""Cases move: fold what was reported about a case, decide what follows, record both in the journal."""
