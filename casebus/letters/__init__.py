"""What people do about dead letters: look, mend, replay, dismiss. Their acts stand in Kafka, beside the letters.

    with Desk.opened(wiring, client, view) as desk:
        replayed = desk.replay([letter.id for letter in desk.pending()], by="wang", why="code 77 is mapped now")

A letter is judged by what the router says afterwards: its events stand in the journal and count, or another letter tells why not.
"""
