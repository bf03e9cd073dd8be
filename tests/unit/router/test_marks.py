"""The end of input is known when a round was heard from everybody and nobody had sent anything on."""

from router.marks import Marks, decode, encode


def test_a_round_is_complete_when_all_have_spoken_in_it():
    """Words of another round do not count; before our own first word nothing is complete."""
    heard = Marks("run").hear(1, 0, moved=True).hear(1, 1, moved=True)
    assert not heard.complete(2)
    spoken = heard.say()
    assert spoken.complete(2)
    assert not spoken.quiet()
    second = spoken.say().hear(2, 0, moved=False)
    assert not second.complete(2)
    assert second.hear(2, 1, moved=False).quiet()
    assert not second.hear(2, 1, moved=True).quiet()


def test_a_word_said_twice_counts_once():
    """After an abort the same marker may be worked on again."""
    assert not Marks("run", said=1).hear(1, 0, moved=False).hear(1, 0, moved=False).complete(2)


def test_marks_survive_as_bytes():
    """They are remembered in the journal."""
    marks = Marks("run").hear(1, 0, moved=True).say()
    assert decode(encode(marks)) == marks
