"""A case's clock told to people: one sentence for the light, few lines for the days, each with its law, in each language."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from schemas.account import Account, account
from schemas.calendar import Calendar, CalendarSettings
from schemas.case import Case, Extension, HandOver, Outcome, Pause, Supplement
from schemas.clock import ClockRules, Kind, Light
from schemas.deadlines import Own, Terms
from schemas.language import Amount, Phrase, Word, language, languages
from schemas.masking import masked
from schemas.rules import Subject, profiles
from schemas.words import Procedure

ZONE = ZoneInfo("Asia/Shanghai")
TERMS = Terms(ClockRules(), Calendar.from_settings(CalendarSettings()), ZONE)


def at(text: str) -> int:
    moment = datetime.fromisoformat(f"2026-{text}T10:00")
    return int(moment.replace(tzinfo=ZONE).timestamp()) * 1_000_000


def case(**facts: Any) -> Case:
    times = {name: at(value) if name.endswith("_at") else value for name, value in facts.items()}
    base = {"key": "city:1", "authority": "住建@500103", "applied_at": at("03-02"), "promised_days": 5, "statutory_days": 20}
    return Case(**{**base, **times})


def told(one: Case, now: str, code: str = "en", terms: Terms = TERMS) -> Account:
    return account(one, None, terms, at(now), language(code))


def pause(start: str, end: str | None = None) -> Pause:
    return Pause("T1", at(start), at(end) if end else None, "EXPERT_REVIEW", "结构复杂", "王小明", 10)


ACCEPTED = {"accepted_at": "03-03"}
HEADLINES = [
    (case(), "03-04", "No light yet: 2 working days used of 5 working days for the answer to the papers, due on 2026-03-09."),
    (
        case(supplements=[Supplement(1, at("03-04"))]),
        "04-01",
        "No light yet: the applicant was asked for papers on 2026-03-04.",
    ),
    (
        case(stopped_at="03-04", outcome=Outcome.WITHDRAWN),
        "04-01",
        "No light: the case ended before it was accepted.",
    ),
    (Case("city:1"), "03-04", "No light: no papers have come in."),
    (
        case(**ACCEPTED),
        "03-05",
        "Green: 2 working days used of the promised limit of 5 working days, which ends on 2026-03-10; 住建@500103 has the case.",
    ),
    (
        case(**ACCEPTED),
        "03-09",
        "Yellow: 1 working day left of the promised limit of 5 working days, which ends on 2026-03-10; 住建@500103 has the case.",
    ),
    (
        case(**ACCEPTED),
        "03-12",
        (
            "Yellow: the promised limit of 5 working days ended on 2026-03-10, and 7 working days are counted; "
            "the law allows until 2026-03-31; 住建@500103 has the case."
        ),
    ),
    (
        case(**ACCEPTED),
        "04-01",
        (
            "Red: the statutory limit of 20 working days ended on 2026-03-31, and 21 working days are counted; "
            "住建@500103 has the case."
        ),
    ),
    (
        case(**ACCEPTED, stopped_at="04-08", outcome=Outcome.GRANTED),
        "05-01",
        "Red: it took 25 working days, and the statutory limit of 20 working days ended on 2026-03-31.",
    ),
    (
        case(**ACCEPTED, stopped_at="03-06", outcome=Outcome.GRANTED),
        "05-01",
        "Green: finished after 3 working days, within the promised limit of 5 working days.",
    ),
    (
        case(**ACCEPTED, pauses=[pause("03-04")]),
        "03-20",
        (
            "Green: the clock stands since 2026-03-04 for expert review, with 1 working day used of the promised limit of "
            "5 working days; 住建@500103 has the case."
        ),
    ),
    (
        case(**ACCEPTED, pauses=[pause("03-06")]),
        "03-20",
        (
            "Yellow: 2 working days left of the promised limit of 5 working days; a special procedure is open; "
            "住建@500103 has the case."
        ),
    ),
    (
        case(**ACCEPTED, stopped_at="05-20", outcome=Outcome.LAPSED),
        "06-01",
        "Green: the applicant did not come in time, so the case counts as finished on time, after 53 working days.",
    ),
    (
        case(promised_days=None),
        "03-10",
        (
            "Green: 6 working days used of the statutory limit of 20 working days, which ends on 2026-03-30; "
            "it counts from the receipt on 2026-03-02, which was not answered in time; 住建@500103 has the case."
        ),
    ),
    (
        case(applied_at="12-25", accepted_at="12-25", promised_days=7),
        "12-28",
        (
            "Green: 1 working day used of the promised limit of 7 working days, which ends on 2027-01-06; "
            "住建@500103 has the case; provisional, as no official notice reaches that far."
        ),
    ),
]


@pytest.mark.parametrize(("one", "now", "sentence"), HEADLINES)
def test_the_headline_says_why_the_light_is_what_it_is(one: Case, now: str, sentence: str) -> None:
    """One sentence for every state of the clock; the colour it names is the light."""
    found = told(one, now)
    assert found.headline == sentence
    assert found.light in (
        Light.NONE,
        Light(sentence.partition(":")[0].lower().replace("no light yet", "none").replace("no light", "none")),
    )


@pytest.mark.parametrize(("one", "now", "_"), HEADLINES)
def test_the_headline_is_said_in_chinese_too(one: Case, now: str, _: str) -> None:
    """No English word is left in it, and the light's colour is the first thing said."""
    found = told(one, now, "zh")
    assert not re.search(r"[A-Za-z]", found.headline)
    assert found.headline.startswith(
        {"none": ("未亮灯", "尚未亮灯"), "green": "绿灯", "yellow": "黄灯", "red": "红灯"}[found.light]
    )
    assert found.headline.endswith("。")


def test_a_case_without_any_limit_says_so() -> None:
    """Where neither case nor item nor law names one."""
    terms = TERMS._replace(rules=ClockRules.model_validate({"statutory": {"days": None}}))
    one = case(**ACCEPTED, promised_days=None, statutory_days=None)
    assert told(one, "03-05", terms=terms).headline.startswith("Green: 2 working days are counted, no limit is known")


FULL = case(
    **ACCEPTED,
    pauses=[pause("03-10", "03-16")],
    extensions=[Extension(at("03-09"), 3, "资料多", "李雷"), Extension(at("03-25"), 2)],
    stopped_at="03-26",
    outcome=Outcome.GRANTED,
)


PAUSED = (
    "special procedure expert review T1 begins, until 2026-03-16, planned for 10 working days; reason: 结构复杂; approved by 王**"
)
LATE = (
    "extension by 2 working days after the promised limit: it does not count for that, only for the statutory one; "
    "no approver is named"
)


def test_the_days_are_told_in_few_lines_that_add_up() -> None:
    """Runs of counted days with the days off in them, procedure and extension with reason and approver, the stop, the ends."""
    lines = [(one.first.day, one.last.day, one.kind, one.text) for one in told(FULL, "04-01").passages]
    assert lines == [
        (3, 3, Kind.START, "accepted: the clock starts, the day itself is not counted"),
        (4, 9, Kind.COUNTED, "working days 1 to 4 count, 2 days off not counted"),
        (9, 9, Kind.EXTENSION, "extended by 3 working days; reason: 资料多; approved by 李**"),
        (10, 10, Kind.COUNTED, "working day 5"),
        (10, 10, Kind.PAUSE, PAUSED),
        (11, 16, Kind.PAUSED, "4 working days in a special procedure: not counted, 2 days off not counted"),
        (17, 19, Kind.COUNTED, "working days 6 to 8 count"),
        (19, 19, Kind.DUE, "the promised limit of 8 days ends: passed"),
        (20, 25, Kind.COUNTED, "working days 9 to 12 count, 2 days off not counted"),
        (25, 25, Kind.LATE_EXTENSION, LATE),
        (26, 26, Kind.COUNTED, "working day 13"),
        (26, 26, Kind.STOP, "the clock stops after 13 days"),
        (14, 14, Kind.DUE, "the statutory limit of 25 days ends"),
    ]


def test_every_counted_day_stands_in_one_line() -> None:
    """The lines' counted days are the clock's."""
    found = told(FULL, "04-01")
    assert sum(one.days for one in found.passages) == found.reading.elapsed_days == 13


def test_each_line_names_its_law() -> None:
    """In the language asked for."""
    english = {one.kind: one.article for one in told(FULL, "04-01").passages}
    chinese = {one.kind: one.article for one in told(FULL, "04-01", "zh").passages}
    assert english[Kind.PAUSE] == "Administrative Licensing Law art. 45"
    assert (chinese[Kind.PAUSE], chinese[Kind.START]) == ("《行政许可法》第四十五条", "《行政许可法》第四十二条")
    assert all(one.article for one in told(FULL, "04-01").passages if one.kind is not Kind.STOP)


def test_nobody_s_whole_name_is_told() -> None:
    """Approvers are masked in every language; a sealed one stays sealed."""
    for code in languages():
        said = str(told(FULL, "04-01", code))
        assert "王**" in said
        assert "王小明" not in said
        assert "李雷" not in said
    assert (masked("sealed:k1"), masked("")) == ("(***)", "")


def test_the_start_that_the_law_sets_is_explained() -> None:
    """The receipt with art. 32, and the acceptance in writing that came too late."""
    passages = told(case(received_at="03-02", accepted_at="03-11"), "03-12").passages
    start, deemed = (next(one for one in passages if one.kind is kind) for kind in (Kind.START, Kind.DEEMED))
    assert (start.first, start.article) == (date(2026, 3, 2), "Administrative Licensing Law art. 32")
    assert start.text == "received, and not answered in time: accepted from this day, which itself is not counted"
    assert (deemed.first, deemed.text[:20]) == (date(2026, 3, 11), "accepted in writing:")


def test_more_extension_than_the_law_allows_is_said() -> None:
    """Ten days in all (art. 42)."""
    one = case(**ACCEPTED, extensions=[Extension(at("03-04"), 30)])
    (line,) = [each for each in told(one, "03-05").passages if each.kind is Kind.EXTENSION]
    assert (
        line.text
        == "extended by 30 working days; all extensions together count no more than 10 working days; no approver is named"
    )


def test_the_calendar_is_named_with_its_version_and_its_reach() -> None:
    """What lies beyond the last notice is provisional, and said so."""
    found = told(case(**ACCEPTED), "03-05")
    assert TERMS.calendar.version in found.calendar
    assert "2026-12-31 is provisional" in found.calendar
    plain = TERMS._replace(calendar=Calendar.from_settings(CalendarSettings(country=None)))
    assert "provisional" not in told(case(**ACCEPTED), "03-05", terms=plain).calendar


def test_every_limit_has_a_sentence_of_its_own() -> None:
    """Open, late, done, done late, no longer waited for; in hours and in days."""
    sent = [
        HandOver("H1", "down", "a", "b", at("03-03")),
        HandOver("H2", "down", "a", "b", at("03-18")),
        HandOver("H3", "down", "a", "b", at("03-03"), at("03-04")),
        HandOver("H4", "down", "a", "b", at("03-03"), at("03-12")),
    ]
    limits = told(case(**ACCEPTED, hand_overs=sent), "03-19").limits
    assert [one.text for one in limits if one.deadline.kind is Subject.HAND_OVER] == [
        "signature for the hand-over H1: 12 working days used, only 2 working days allowed, due on 2026-03-05.",
        "signature for the hand-over H3: done after 1 working day, 2 working days allowed.",
        "signature for the hand-over H4: done after 7 working days, only 2 working days allowed.",
        "signature for the hand-over H2: 1 working day used of 2 working days, due on 2026-03-20.",
    ]
    assert limits[0].text == "promised limit: 12 working days used, only 5 working days allowed, due on 2026-03-10."
    over = told(case(ended_at="03-10", stopped_at="03-10", outcome=Outcome.WITHDRAWN, hand_overs=sent[:1]), "03-19").limits
    assert over[-1].text == "signature for the hand-over H1: not done in 5 working days, only 2 working days allowed."
    chinese = told(case(**ACCEPTED, hand_overs=sent), "03-19", "zh").limits
    assert chinese[0].text == "承诺时限：限5个工作日，已超期，已用12个工作日，2026年3月10日届满。"
    assert chinese[0].article == "《行政许可法》第四十二条"


@pytest.mark.parametrize("code", languages())
def test_each_language_has_the_same_keys_with_the_same_facts(code: str) -> None:
    """A third language is a file; what it forgets is seen here, and in no page."""
    fields = {key: sorted(re.findall(r"{(\w+)", text)) for key, text in language(code).texts.items() if key != "date"}
    english = {key: sorted(re.findall(r"{(\w+)", text)) for key, text in language("en").texts.items() if key != "date"}
    assert fields == english
    assert language(code).name


@pytest.mark.parametrize("code", languages())
def test_each_language_has_a_word_for_every_kind_procedure_and_light(code: str) -> None:
    """The lists of words are the software's own."""
    texts = language(code).texts
    groups = {"kind": [*Own, *Subject], "procedure": [one.lower() for one in Procedure], "light": list(Light)}
    assert {f"{group}.{name}" for group, names in groups.items() for name in names} <= texts.keys()


def test_every_article_of_every_profile_is_said_in_chinese() -> None:
    """A new article in a profile wants its line in the language."""
    for name in profiles():
        rules = ClockRules.model_validate({"profile": name})
        articles = {*rules.articles.values(), *(row.article for row in rules.limits.values() if row)}
        assert [one for one in articles if language("zh").article(one) == one] == []


def test_facts_are_written_as_the_language_writes_them() -> None:
    """Dates, amounts with their plural, words of a list, and text with braces as it is."""
    english = language("en")
    assert english.say(Phrase("headline.until", {"due": date(2026, 3, 9)})) == ", which ends on 2026-03-09"
    assert english.say(Phrase("line.planned", {"days": Amount(1, "hours")})) == ", planned for 1 office hour"
    assert english.say(Phrase("line.planned", {"days": Amount(1.5, "hours")})) == ", planned for 1.5 office hours"
    named = {"procedure": Word("procedure", "seance"), "id": "{0}"}
    assert english.say(Phrase("line.pause", named)) == "special procedure seance {0} begins"
