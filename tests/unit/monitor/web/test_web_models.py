"""What pages show, as values: no browser, no database."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest
from monitor_world import at, event
from web_world import AUTHORITIES, NOW, RED, REGIONS, ZONE, applied, lives

from monitor.statistics.processmap import process_map
from monitor.statistics.row import Row, Trace
from monitor.web.access import Role, User, scope
from monitor.web.asked import When, link, moment, when
from monitor.web.glance import Glance
from monitor.web.models.case import Entry, Viewer, decisions
from monitor.web.models.listing import PAGE, Filter, asked, fitting, listed
from monitor.web.models.overview import heat, ordered
from monitor.web.models.place import pace
from monitor.web.models.process import BOX, charted, graph
from monitor.web.models.says import papers, says
from monitor.web.models.timeline import drawn, lanes
from monitor.web.models.trend import trend_options
from monitor.web.names import Names
from monitor.web.passwords import hashed, matches
from monitor.web.picture import Day, cells, tallied
from monitor.web.render import View
from monitor.web.words import LANGUAGES, words
from router.case import fold
from router.decide import all_rules
from router.findings import FINDINGS
from router.law import LawProfile

_BLANK = re.compile(r"\{(\w+)")


def one(number: str = "1", **said) -> Glance:
    usual = {
        "key": f"city:{number}", "region": "11", "department": "hall", "authority": "hall@11", "item": "I-1", "phase": "accepted",
        "outcome": "", "holder": "hall@11", "light": "green", "elapsed": 1, "limit": 5, "left": 4, "due": "2025-03-10",
        "applied_at": at(9), "ended_at": None, "paused": False, "on_its_way": False,
    }  # fmt: skip
    return Glance(**usual | said)


def test_all_languages_have_the_same_words_and_blanks():
    """A page must not fall back to another language in the middle of a sentence."""
    first, *others = [{key for key in words(language).texts if not key.startswith("law.")} for language in LANGUAGES]
    for other in others:
        assert other == first
    for key in first:
        blanks = {frozenset(_BLANK.findall(words(language).texts[key])) for language in LANGUAGES}
        assert len(blanks) == 1, key


def test_every_word_that_a_template_says_is_there():
    """Also the rare ones, which no made-up city brings onto a page. (YAML reads the key `off` as no text at all.)"""
    folder = Path(__file__).parents[4] / "monitor" / "web" / "templates"
    said = {key for file in folder.iterdir() for key in re.findall(r"\bt\('([\w.]+)'[,)]", file.read_text(encoding="utf-8"))}
    assert len(said) > 150
    assert [key for key in sorted(said) if not words("zh").knows(key)] == []


def test_every_finding_and_every_rule_is_said_in_chinese():
    """The law's tables are English; what the page shows of them has to be there in Chinese too, and nothing else."""
    zh = {key.removeprefix("law.") for key in words("zh").texts if key.startswith("law.")}
    found = {f"found.{code}.{part}" for code in FINDINGS for part in ("says", "basis", "order")}
    rules = {f"rule.{rule.name}.{part}" for rule in all_rules() for part in ("title", "basis")}
    told = {f"told.{claim}" for rule in all_rules() for claim in rule.claims}
    assert {key for key in zh if not key.startswith("letter.")} == found | rules | told


def test_every_reason_of_a_refusal_is_said_in_both_languages_with_what_to_do():
    """As the connectors and the router write them; those that mappings make up are known by their first word."""
    sources = [
        file.read_text(encoding="utf-8")
        for package in ("connectors", "router")
        for file in (Path(__file__).parents[4] / package).rglob("*.py")
    ]
    reasons = {code for text in sources for code in re.findall(r'(?:Refusal|Letter)\(\s*f?"([a-z_]+?)_?["{]', text)}
    assert {"unknown_item", "no_application", "missing", "broken_row"} <= reasons
    for language in LANGUAGES:
        assert [code for code in sorted(reasons) if not words(language).knows(f"letter.{code}")] == []
    assert [code for code in sorted(reasons) if not words("zh").remedy(code)] == []
    assert words("zh").letter("missing_applicant") == "缺少必填内容"
    assert words("en").remedy("missing_case") == ""


ENTRIES = [
    Entry(4, at(4), "DELIVERY", "hand_up", "quality@12", {"decision": "d", "kind": "step_up", "about": "approve"}),
    Entry(5, at(5), "COMPENSATION", "hand_up", "quality@12", {"decision": "d", "kind": "step_up"}),
    Entry(
        6, at(6), "DELIVERY", "hand_up", "quality@12",
        {"decision": "d", "kind": "step_up", "about": "approve", "item": "I-1", "item_version": "2", "step": "approve",
         "when": "channel == 'WINDOW'", "channel": "WINDOW"},
    ),
]  # fmt: skip


def test_a_decision_says_its_rule_the_version_and_the_condition_with_its_values():
    """The first was taken back, the second stands; in Chinese the rule and its law are Chinese."""
    rules = {rule.name: (rule.title, rule.basis) for rule in all_rules()}
    first, second = decisions(ENTRIES, Viewer(words("en"), ZONE, rules=rules))
    assert (first.off, second.off) == (True, False)
    assert (second.version, second.condition) == ("2", "channel == 'WINDOW'")
    assert dict(second.values) == {"by": "window"}
    assert dict(second.facts) == {"step": "approve"}
    assert "art. 43" in second.basis
    chinese = decisions(ENTRIES, Viewer(words("zh"), ZONE, rules=rules))[1]
    assert "第四十三条" in chinese.basis
    assert chinese.says == "请办环节（上级）"


def test_facts_of_a_decision_are_for_people():
    """A time as one writes it, and no number that only machines tell apart."""
    facts = {"alert": "8469626563fbf621eb7f2fc6ca5486d4", "visit_at": str(at(9)), "by": "quality@12"}
    (told,) = decisions([Entry(4, at(4), "DELIVERY", "appointment", "hall@12", facts)], Viewer(words("en"), ZONE))
    assert [one.value for one in told.facts] == ["2025-03-03 09:00", "quality@12"]


def test_an_unknown_code_is_shown_as_it_is_without_underscores():
    """Data may hold what no word was written for."""
    assert words("en").of("phase", "in_some_new_phase") == "in some new phase"


def test_a_password_is_matched_only_by_itself():
    """And what was not hashed here matches nothing."""
    kept = hashed("correct horse")
    assert matches("correct horse", kept)
    assert not matches("correct hors", kept)
    assert not matches("", "plain")


def test_a_supervisor_of_a_city_sees_its_counties_and_one_of_nowhere_nothing():
    """A region that the directory has lost shows nothing rather than everything."""
    assert scope(User("a", Role.SUPERVISOR, "10"), REGIONS) == {"10", "11", "12"}
    assert scope(User("a", Role.SUPERVISOR, "12"), REGIONS) == {"12"}
    assert scope(User("a", Role.SUPERVISOR, "99"), REGIONS) == frozenset()
    assert scope(User("a", Role.SUPERVISOR), REGIONS) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2025-03-03T18:00", at(18)),
        ("2025-03-03T10:00Z", at(18)),
        ("2025-03-03", at(24) - 1),
        ("yesterday", None),
        ("", None),
        ("0001-01-01T00:00", None),
        ("9999-12-31T23:59-12:00", None),
    ],
)
def test_a_moment_of_an_address_is_local_unless_it_says_otherwise(text, expected):
    """A date alone means its end; nonsense means now."""
    assert moment(text, ZONE) == expected


@pytest.mark.parametrize("text", ["2025-03-03", "2025-03-03T18:00", "2025-03-03T18:00:30", "2025-03-03T10:00:30.250Z"])
def test_an_address_keeps_its_moment_to_the_microsecond(text):
    """A day stays a day to its very end: what was told of its last minute is on the next page too."""
    then = when({"at": text}, ZONE)
    assert when(then.parts(ZONE), ZONE) == then
    assert then.parts(ZONE)["at"] == text or text.endswith("Z")


def test_an_address_keeps_its_moment():
    """So that every link of a page of the past stays in the past."""
    then = when({"at": "2025-03-03T18:00", "known": "then"}, ZONE)
    assert then == When(at(18), then=True)
    assert when(then.parts(ZONE), ZONE) == then
    assert link("/cases", {"light": "red", "q": ""} | then.parts(ZONE)) == "/cases?light=red&at=2025-03-03T18%3A00&known=then"


def test_heat_is_a_tree_of_regions_by_departments_with_sums():
    """A region that the directory does not have comes last; the reddest share is the darkest."""
    found = heat(
        cells(tallied([one("1", light="red"), one("2"), one("3", region="12", department="fire"), one("4", region="77")])),
        REGIONS,
    )
    assert [row.region for row in found.rows] == ["11", "12", "77"]
    assert found.departments == ("hall", "fire")
    assert found.rows[0].cells[0].lamps.red == 1
    assert found.rows[0].cells[0].shade == 3
    assert (found.total.total.lamps.total, found.total.total.lamps.red) == (4, 1)
    assert ordered(["12", "10"], REGIONS) == [("10", 0), ("12", 1)]


def test_many_departments_share_a_last_column():
    """The table must fit on a screen."""
    found = heat(cells(tallied([one(str(n), department=f"d{n:02}") for n in range(14)])), REGIONS)
    assert found.departments[-1] == "*"
    assert len(found.departments) == 10
    assert found.rows[0].cells[-1].lamps.total == 5


def test_a_light_in_an_address_means_open_cases_and_nonsense_is_left_out():
    """An address is typed by people."""
    found = asked({"state": "ended", "light": "red", "sort": "colour", "page": "-3"}, lambda _: [], None)
    assert (found.state, found.light, found.sort, found.page) == ("open", "red", "urgency", 1)
    assert asked({"light": "blue"}, lambda _: [], None).light == ""


def test_a_list_is_cut_into_pages_and_the_last_is_shown_beyond_the_end():
    """With the numbers of its lines."""
    found = [one(str(n)) for n in range(PAGE + 3)]
    page = listed(fitting(found, Filter(), NOW), Filter(page=9))
    assert (len(page.rows), page.first, page.last, page.pages, page.total) == (3, PAGE + 1, PAGE + 3, 2, PAGE + 3)


def test_pace_counts_only_ended_cases_with_a_limit():
    """One of two kept it."""
    found = pace([one(left=1, elapsed=4), one(left=-2, elapsed=7, light="yellow"), one(left=None, limit=None)])
    assert (found.cases, found.on_time, found.promised, found.taken) == (3, 0.5, 5, 5.5)
    assert pace([]).on_time is None


def burning():
    events = dict(lives())[RED]
    return fold(events, LawProfile(), RED), events


def test_a_timeline_has_a_lane_for_each_who_held_the_case():
    """The hall had it until it sent it; on the way nobody; then the fire brigade, to this day."""
    found = lanes(*burning(), NOW)
    assert found.lanes == ("hall@11", "fire@11")
    assert {(span.lane, span.kind, span.start, span.end) for span in found.spans} == {
        ("hall@11", "held", at(9), at(11)),
        ("fire@11", "way", at(11), at(12)),
        ("fire@11", "held", at(12), None),
    }
    assert [mark.kind for mark in found.marks] == ["Applied", "Accepted", "HandedAcross", "Received"]


def test_a_drawing_keeps_everything_inside_of_its_canvas():
    """Also marks of one hour, which are set side by side, and the limit's end."""
    drawing = drawn(lanes(*burning(), NOW), NOW, at(28 * 24), ZONE)
    assert drawing.due is not None
    assert drawing.now is not None
    xs = [dot.x for dot in drawing.dots]
    assert all(190 <= x <= drawing.width for x in [*xs, drawing.due, drawing.now, *(box.x + box.width for box in drawing.boxes)])
    assert len(set(xs)) == 4


def test_supplements_pauses_and_parts_are_spans_of_their_own():
    """The applicant has a lane, the procedure lies over who ordered it, a part runs until its opinion."""
    key = "city:9"
    events = [
        applied(1, key, "11"),
        event("SupplementRequested", 2, key, authority="hall@11", missing_count=1),
        event("SupplementReceived", 5, key, authority="hall@11"),
        event("Accepted", 6, key, authority="hall@11"),
        event("ClockPaused", 7, key, authority="hall@11", pause="P", procedure="INSPECTION"),
        event("HandedAcross", 8, key, authority="hall@11", hand_over="H", to="fire@11", part="fire"),
        event("Received", 9, key, authority="fire@11", hand_over="H", part="fire"),
    ]
    spans = {(one.kind, one.lane, one.end) for one in lanes(fold(events, LawProfile(), key), events, at(20)).spans}
    assert {("supplement", "applicant", at(5)), ("pause", "hall@11", None), ("part", "fire@11", None)} <= spans
    assert ("held", "hall@11", None) in spans


def test_an_event_says_its_fields_in_words_and_masks_people():
    """Unless somebody may see them."""
    told = applied(1, RED, "11")
    masked, clear = (says(told, words("en"), ZONE, clear=clear) for clear in (False, True))
    assert dict(masked)["applicant"] == "王**, person"
    assert dict(clear)["applicant"] == "王小明, person"
    assert [paper.value for paper in papers(told, words("en"))] == ["申请表"]


def test_an_alert_is_called_as_on_the_desk():
    """In the reader's language; an indicator that is no more by its name."""
    for language, indicator, title in (
        ("zh", "sent_not_received", "移交未接收"),
        ("en", "sent_not_received", "Handed over, not received"),
        ("zh", "of_former_days", "of former days"),
    ):
        alert = event("AlertRaised", 3, alert="a", indicator=indicator, light="RED", judged_sequence=1)
        assert title in [one.value for one in says(alert, words(language), ZONE, clear=False)]


def test_names_are_chinese_in_chinese_and_codes_in_words_in_english():
    """Also inside of a sentence, where Chinese stands right before the code."""
    names = Names(REGIONS, AUTHORITIES, lambda _: "")
    assert names.department("fire", words("zh")) == "消防救援支队"
    assert names.authority("fire@11", words("en")) == "Fire, 云溪区"
    assert names.in_text("现由fire@11办理", words("zh")) == "现由云溪区消防救援支队办理"


def walked(*paths):
    """The process map of cases that went these ways, an hour a step."""
    rows = (tuple(Row("c", at(hour), 0, "", 0, "", name, name, "", "") for hour, name in enumerate(path)) for path in paths)
    return process_map(Trace("c", some) for some in rows)


def test_a_process_map_leaves_rare_steps_out_and_runs_from_above_to_below():
    """What is left out is told by its share."""
    found = graph(walked(*["abc"] * 9, "ac"), share=0.9)
    assert {(edge.source, edge.target): edge.times for edge in found.edges} == {("a", "b"): 9, ("b", "c"): 9}
    assert [node.name for node in sorted(found.nodes, key=lambda node: node.layer)] == ["a", "b", "c"]
    assert (found.cases, found.variants, round(found.coverage, 3)) == (10, 2, 0.947)
    assert (found.nodes[0].begins, found.nodes[0].ends) == (10, 0)


def test_lines_that_pass_others_by_touch_neither_boxes_nor_each_other():
    """Those that lead on run on the right, those that lead back on the left; next to each other straight down."""
    drawing = charted(graph(walked(*["abcd"] * 3, "ad", "abd", "abcda"), share=1))
    ways = {(way.edge.source, way.edge.target): way for way in drawing.ways}
    boxes = {box.node.name: box for box in drawing.boxes}
    right = max(box.x for box in drawing.boxes) + BOX
    assert ways["a", "b"].x == boxes["a"].x + BOX / 2
    assert right < ways["b", "d"].x < ways["a", "d"].x < drawing.left + drawing.width
    assert ways["d", "a"].back
    assert drawing.left < ways["d", "a"].x < min(box.x for box in drawing.boxes)


def test_a_name_is_clipped_to_the_room_of_a_picture():
    """Chinese characters take twice as much."""
    view = View(User("x", Role.AUDITOR), words("en"), Names({}, {}, lambda _: ""), ZONE)
    assert [view.clip(name, 6) for name in ("审批局", "审批局一", "abcdef", "abcdefg")] == [
        "审批局",
        "审批局…",
        "abcdef",
        "abcdef…",
    ]


def test_a_process_map_of_one_activity_and_of_none_can_be_drawn():
    """With a loop counted at its node."""
    loop = charted(graph(walked("aa")))
    assert (loop.boxes[0].node.again, loop.ways) == (1, ())
    assert charted(graph(walked())).boxes == ()


def test_a_trend_has_a_bar_and_a_line():
    """Day by day."""
    found = trend_options([Day(date(2025, 3, 3), 4, 1)], words("en"))
    assert [series["data"] for series in found["series"]] == [[4], [1]]
    assert found["xAxis"]["data"] == ["03-03"]


def test_a_region_that_no_table_names_is_shown_by_its_code():
    """A site without a table of regions still says where a case lies."""
    assert Names({}, {}, lambda _: "").region("77", words("en")) == "77"
