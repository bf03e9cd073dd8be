"""A case as a picture: one lane for each authority, who held the case when, what stood still, what was done.

`lanes` says what is to be seen, `drawn` where it stands on a canvas of a given width. Times are microseconds UTC.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import NamedTuple

from monitor.times import DAY, local, micros
from schemas.case import Case
from schemas.envelope import Event

APPLICANT = "applicant"
#: Events after which the case lies with the authority that reported them (`router.phases`, `router.beside`).
_TAKES = frozenset({"Applied", "Received", "Accepted", "AcceptedWithGaps"})


class Span(NamedTuple):
    """`kind`: held, way (sent, not signed for), part (of a joint approval), supplement, pause. `end` None: still so."""

    lane: str
    kind: str
    start: int
    end: int | None
    says: str = ""


class Mark(NamedTuple):
    lane: str
    at: int
    kind: str
    #: Short form of the event's number in the table below.
    sequence: int = 0


class Lanes(NamedTuple):
    lanes: tuple[str, ...]
    spans: tuple[Span, ...]
    marks: tuple[Mark, ...]


def lanes(case: Case, events: Sequence[Event], until: int) -> Lanes:
    """`events` are those that count, in business order."""
    spans = [*held(case, events, until), *_ways(case), *_parts(case), *_supplements(case), *_pauses(case)]
    spans = [one for one in spans if one.start <= until]
    marks = [Mark(_lane(event, case), event.occurred_at, event.type) for event in events]
    order = list(dict.fromkeys([*(one.lane for one in sorted(spans, key=lambda one: one.start)), *(mark.lane for mark in marks)]))
    return Lanes(tuple(order), tuple(spans), tuple(marks))


def held(case: Case, events: Iterable[Event], until: int) -> list[Span]:
    """Who had the case from when to when, on the way to another it is nobody's; the last holder has it until its end."""
    found: list[Span] = []
    holder, since = "", 0
    gone = {move.id: move.sent_at for move in case.hand_overs if not move.part}
    for event in events:
        taker = event.header["authority"] or ""
        if event.type not in _TAKES or not taker or taker == holder or _of_a_part(event, case):
            continue
        left = gone.get(str(event.body.get("hand_over") or ""), event.occurred_at)
        found += [Span(holder, "held", since, max(since, left))] if holder else []
        holder, since = taker, event.occurred_at
    return [*found, Span(holder, "held", since, _end(case, until))] if holder else found


def _of_a_part(event: Event, case: Case) -> bool:
    name = event.body.get("hand_over")
    return any(move.part for move in case.hand_overs if move.id == name) or bool(event.body.get("part"))


def _end(case: Case, until: int) -> int | None:
    """None while it is open."""
    return case.ended_at if case.ended_at is not None and case.ended_at <= until else None


def _ways(case: Case) -> Iterator[Span]:
    for move in case.hand_overs:
        yield Span(move.receiver, "way", move.sent_at, move.received_at, move.sender)


def _parts(case: Case) -> Iterator[Span]:
    for move in case.hand_overs:
        if move.part and move.received_at is not None:
            yield Span(move.receiver, "part", move.received_at, move.answered_at, move.part)


def _supplements(case: Case) -> Iterator[Span]:
    for one in case.supplements:
        if one.asked_at is not None:
            yield Span(APPLICANT, "supplement", one.asked_at, one.received_at, str(one.round))


def _pauses(case: Case) -> Iterator[Span]:
    for one in case.pauses:
        yield Span(one.by or case.holder, "pause", one.start, one.end, one.procedure.lower())


def _lane(event: Event, case: Case) -> str:
    return event.header["authority"] or case.holder or case.authority


#: The canvas, in pixels.
LEFT, TOP, LANE, BAR = 190, 30, 34, 12


class Box(NamedTuple):
    span: Span
    x: float
    y: float
    width: float
    open: bool


class Dot(NamedTuple):
    mark: Mark
    x: float
    y: float


class Tick(NamedTuple):
    x: float
    at: int
    #: Whether the label must name the month.
    first: bool


class Arrow(NamedTuple):
    """From the lane that sends to the lane that receives."""

    x: float
    y: float
    to: float


class Drawing(NamedTuple):
    width: int
    height: int
    lanes: tuple[tuple[str, float], ...]
    boxes: tuple[Box, ...]
    dots: tuple[Dot, ...]
    arrows: tuple[Arrow, ...]
    ticks: tuple[Tick, ...]
    #: Where the limit ends, and where now is; None outside of the canvas.
    due: float | None
    now: float | None


class Frame(NamedTuple):
    """What the canvas spans."""

    start: int
    end: int
    zone: tzinfo
    width: int = 1280

    def x(self, at: int) -> float:
        return round(LEFT + (at - self.start) / max(1, self.end - self.start) * (self.width - LEFT - 24), 1)


def drawn(what: Lanes, until: int, due: int | None, zone: tzinfo, width: int = 1280) -> Drawing:
    """The case's picture up to `until`; `due` is drawn when it lies near enough to be seen with the rest."""
    frame = _frame(what, until, due, zone, width)
    row = {lane: TOP + LANE * number + LANE / 2 for number, lane in enumerate(what.lanes)}
    now = until if until <= frame.end else None
    return Drawing(
        width=width,
        height=TOP + LANE * max(1, len(what.lanes)) + 18,
        lanes=tuple(row.items()),
        boxes=tuple(_box(span, row, frame) for span in what.spans),
        dots=tuple(_spread([Dot(mark, frame.x(mark.at), row[mark.lane]) for mark in what.marks])),
        arrows=tuple(_arrow(span, row, frame) for span in what.spans if span.kind == "way" and span.says in row),
        ticks=tuple(_ticks(frame)),
        due=frame.x(due) if due is not None and frame.start <= due <= frame.end else None,
        now=frame.x(now) if now is not None else None,
    )


def _frame(what: Lanes, until: int, due: int | None, zone: tzinfo, width: int) -> Frame:
    """From the first event to the last one, or to now while something is open; a limit at most as far again is shown too."""
    times = [one.start for one in what.spans] + [mark.at for mark in what.marks]
    ends = [one.end for one in what.spans if one.end is not None]
    start = min(times, default=until - DAY)
    last = max([*times, *ends], default=until)
    open_ = any(one.end is None for one in what.spans)
    end = max(last, until) if open_ else last
    if due is not None and end < due <= end + (end - start):
        end = due
    room = max(DAY // 8, (end - start) // 60)
    return Frame(start - room, end + room, zone, width)


def _box(span: Span, row: dict[str, float], frame: Frame) -> Box:
    end = frame.end if span.end is None else min(span.end, frame.end)
    x = frame.x(span.start)
    return Box(span, x, row[span.lane], round(max(2.0, frame.x(end) - x), 1), span.end is None)


def _arrow(span: Span, row: dict[str, float], frame: Frame) -> Arrow:
    return Arrow(frame.x(span.start), row[span.says], row[span.lane])


def _spread(dots: list[Dot]) -> Iterator[Dot]:
    """Marks of one lane that would lie on each other are set side by side."""
    last: dict[str, float] = {}
    for dot in sorted(dots, key=lambda one: (one.mark.at, one.mark.sequence)):
        x = max(dot.x, last.get(dot.mark.lane, -9.0) + 7)
        last[dot.mark.lane] = x
        yield dot._replace(x=x)


#: Steps between ticks, in days; below a day in hours.
_STEPS = (1, 2, 7, 14, 28, 91, 182, 364)


def _ticks(frame: Frame) -> Iterator[Tick]:
    """Local midnights, some eight of them."""
    days = (frame.end - frame.start) / DAY
    step = next((one for one in _STEPS if days / one <= 10), _STEPS[-1])
    day = local(frame.start, frame.zone).date() + timedelta(1)
    month = None
    while (at := micros(datetime.combine(day, datetime.min.time(), frame.zone))) < frame.end:
        yield Tick(frame.x(at), at, day.month != month)
        month = day.month
        day += timedelta(step)
