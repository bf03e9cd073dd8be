"""Jichuan (霁川), a made-up city: what its departments' systems export, and the truth about it, told beforehand.

Imports nothing of ours (an architecture test holds it), so that what the bus computes is compared with a second opinion:
its own calendar, its own clock, its own idea of how a case ends. The same arguments always write the same city.

Six kinds of cases run through seven departments in five regions on two levels: booked inspections, licences over the
counter, cases that a county accepts and the city decides (上报), cases the city sends down (下放), cases that change the
department (转办), and joint approvals (并联). `demo_exports` puts them into the formats departments really hand over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

NOW = datetime(2026, 6, 30, 18, 0)  # noqa: DTZ001  local time of the city throughout: the exports have no zone either
FIRST_DAY, DAYS = date(2026, 1, 5), 170

#: State Council notice for 2026 (国办发明电, month-day runs): days off, and Saturdays or Sundays worked instead.
OFF = "0101-0103 0215-0223 0404-0406 0501-0505 0619-0621 0925-0927 1001-1007"
WORKED = "0104 0214 0228 0509 0920 1010"

CITY = "991200"
COUNTIES = ("991201", "991202", "991203", "991204")
HALL, QUALITY, MARKET, ENVIRONMENT = "service-hall", "quality-supervision", "market-supervision", "environment"
PLANNING, CONSTRUCTION, FIRE = "planning", "construction", "fire"

SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜䶮㙍"
GIVEN = "安宁平远志明文博雨晴子涵思远佳怡建国海燕春梅立新"


def _runs(text: str) -> set[date]:
    days: set[date] = set()
    for part in text.split():
        first, _, last = part.partition("-")
        start, end = (date(2026, int(d[:2]), int(d[2:])) for d in (first, last or first))
        days |= {start + timedelta(n) for n in range((end - start).days + 1)}
    return days


_OFF, _WORKED = _runs(OFF), _runs(WORKED)


def working(day: date) -> bool:
    return day in _WORKED or (day.weekday() < 5 and day not in _OFF)


def days_after(start: date) -> Iterator[date]:
    """Every working day after a date; the date itself is not counted."""
    while True:
        start += timedelta(1)
        if working(start):
            yield start


@dataclass(frozen=True)
class Item:
    code: str
    department: str
    flow: str
    promised: int
    statutory: int
    weight: int
    assisting: tuple[str, ...] = ()


ITEMS = (
    Item("9912-QS-001", QUALITY, "inspection", 5, 15, 25),
    Item("9912-MS-001", MARKET, "counter", 5, 20, 35),
    Item("9912-EN-001", ENVIRONMENT, "up", 12, 20, 15),
    Item("9912-PL-001", PLANNING, "down", 8, 20, 8),
    Item("9912-QS-002", QUALITY, "across", 6, 20, 7),
    Item("9912-CO-001", CONSTRUCTION, "joint", 15, 45, 10, (PLANNING, FIRE, ENVIRONMENT)),
)


@dataclass(frozen=True)
class Fact:
    """One thing that happened, as one row of one system will say it. `case` is the number that system knows."""

    at: datetime
    kind: str
    department: str
    region: str
    case: str
    values: dict[str, Any] = field(default_factory=dict)
    version: int = 1
    lag: timedelta = timedelta(minutes=2)


@dataclass
class Case:
    """A case in the making: `now` moves on as its facts are put down."""

    number: str
    item: Item
    county: str
    rng: Random
    now: datetime
    facts: list[Fact] = field(default_factory=list)
    withdrawn: bool = False

    def wait(self, days: int) -> None:
        """To some office hour, so many working days later; with 0 a little later the same day (or the next working day)."""
        if days == 0 and working(self.now.date()) and self.now.hour < 16:
            self.now += timedelta(minutes=self.rng.randint(3, 50))
            return
        coming = days_after(self.now.date())
        day = [next(coming) for _ in range(max(1, days))][-1]
        self.now = datetime(day.year, day.month, day.day, 9) + timedelta(minutes=self.rng.randint(0, 420))  # noqa: DTZ001  local

    def put(self, kind: str, department: str, region: str, case: str = "", **values: Any) -> None:
        self.facts.append(Fact(self.now, kind, department, region, case or self.number, values))

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability


# ---------------------------------------------------------------- how cases run


def apply(case: Case, region: str) -> None:
    """At the window: application, receipt, and now and then papers that are missing."""
    person = case.rng.choice(SURNAMES) + "".join(case.rng.sample(GIVEN, 2))
    born = f"19{case.rng.randint(50, 99)}0{case.rng.randint(1, 9)}1{case.rng.randint(0, 9)}"
    identity = f"{case.county}{born}{case.rng.randint(1000, 9999)}"
    phone = f"100{case.rng.randint(10**7, 10**8 - 1)}"
    case.put("apply", HALL, region, name=person, identity=identity, phone=phone, channel=case.rng.choice("1123"))
    case.wait(0)
    case.put("receive", HALL, region)
    rounds = 2 if case.chance(0.02) else 1 if case.chance(0.15) else 0
    for number in range(1, rounds + 1):
        case.wait(case.rng.randint(0, 3))
        case.put("ask", HALL, region, round=number, days=case.rng.randint(1, 3))
        case.wait(case.rng.randint(1, 8))
        case.put("bring", HALL, region, round=number)


def accept(case: Case, region: str) -> bool:
    """Whether the department took the case in."""
    case.wait(case.rng.randint(0, 3))
    if case.chance(0.03):
        case.put("refuse", case.item.department, region, text="不属于本机关职权范围")
        return False
    case.put("accept", case.item.department, region)
    return True


def work(case: Case, department: str, region: str, step: str, longest: int) -> None:
    case.wait(case.rng.randint(0, longest))
    case.put("start", department, region, ref=step)
    case.wait(case.rng.randint(0, 2))
    case.put("finish", department, region, ref=step, text="通过")


def pause(case: Case, department: str, region: str, longest: int) -> None:
    """A special procedure (特别程序); the applicant may lose patience while it lasts."""
    ref = f"{case.number}-T1"
    case.wait(case.rng.randint(0, 1))
    case.put("pause", department, region, ref=ref)
    case.wait(case.rng.randint(1, longest))
    case.put("resume", department, region, ref=ref)


def hand(case: Case, kind: str, sender: tuple[str, str], receiver: tuple[str, str]) -> None:
    ref = f"{case.number}-H1"
    case.wait(0)
    case.put(kind, *sender, ref=ref, to="@".join(receiver))
    case.wait(case.rng.randint(0, 2))
    case.put("sign", *receiver, ref=ref)


def extend(case: Case, department: str, region: str) -> None:
    """Approved while the limit still runs: on the working day after acceptance."""
    case.wait(1)
    case.put("extend", department, region, days=5)


def decide(case: Case, department: str, region: str, hall: str) -> None:
    """The decision, now and then late; the certificate; the applicant's opinion of it all."""
    case.wait(case.rng.randint(20, 40) if case.chance(0.05) else case.rng.randint(0, 2))
    if case.chance(0.03):
        case.put("withdraw", HALL, hall, text="申请人撤回")
        return
    granted = case.chance(0.94)
    case.put("grant" if granted else "deny", department, region, text=f"{department.upper()}-{case.number[-6:]}")
    if granted:
        case.wait(case.rng.randint(0, 4))
        case.put("collect", HALL, hall)
        if case.chance(0.4):
            case.wait(0)
            case.put("rate", HALL, hall, days=case.rng.choice((1, 1, 1, 2, 2, 3, 5)))


def inspection(case: Case) -> None:
    """An elevator's yearly inspection: booked online, called back within two hours, inspected on site."""
    booking = f"YY{case.number[-10:]}"
    case.put("book", HALL, case.county, case=booking, ref=booking)
    case.now += timedelta(minutes=case.rng.randint(5, 115))
    case.put("confirm", QUALITY, case.county, case=booking, ref=booking)
    case.wait(case.rng.randint(1, 3))
    apply(case, case.county)
    case.put("link", HALL, case.county, ref=f"appointment:{booking}")
    if accept(case, case.county):
        pause(case, QUALITY, case.county, 12)
        work(case, QUALITY, case.county, "onsite", 1)
        decide(case, QUALITY, case.county, case.county)


def counter(case: Case) -> None:
    """A licence over the counter: a ticket, one window, often the same day."""
    ticket = f"QH{case.number[-10:]}"
    case.put("ticket", HALL, case.county, case=ticket, ref=ticket)
    case.wait(0)
    apply(case, case.county)
    case.put("link", HALL, case.county, ref=f"ticket:{ticket}")
    if accept(case, case.county):
        work(case, MARKET, case.county, "review", 3)
        decide(case, MARKET, case.county, case.county)


def up(case: Case) -> None:
    """The county accepts, the city decides (上报件)."""
    apply(case, case.county)
    if accept(case, case.county):
        work(case, ENVIRONMENT, case.county, "first-review", 3)
        hand(case, "up", (ENVIRONMENT, case.county), (ENVIRONMENT, CITY))
        if case.chance(0.3):
            pause(case, ENVIRONMENT, CITY, 20)
        work(case, ENVIRONMENT, CITY, "second-review", 4)
        decide(case, ENVIRONMENT, CITY, case.county)


def down(case: Case) -> None:
    """The city accepts, the county decides (下放)."""
    apply(case, CITY)
    if accept(case, CITY):
        hand(case, "down", (PLANNING, CITY), (PLANNING, case.county))
        work(case, PLANNING, case.county, "survey", 4)
        decide(case, PLANNING, case.county, CITY)


def across(case: Case) -> None:
    """Accepted by quality supervision, decided by market supervision (转办)."""
    apply(case, case.county)
    if accept(case, case.county):
        hand(case, "across", (QUALITY, case.county), (MARKET, case.county))
        work(case, MARKET, case.county, "review", 3)
        decide(case, MARKET, case.county, case.county)


def joint(case: Case) -> None:
    """Joint approval (并联): the lead asks three departments at once and decides after the last has answered."""
    apply(case, CITY)
    if not accept(case, CITY):
        return
    if case.chance(0.2):
        extend(case, CONSTRUCTION, CITY)
    case.wait(1)
    begun, latest = case.now, case.now
    for number, department in enumerate(case.item.assisting, 1):
        case.now = begun + timedelta(minutes=number)
        ref = f"{case.number}-P{number}"
        case.put("across", CONSTRUCTION, CITY, ref=ref, to=f"{department}@{CITY}", part=department)
        latest = max(latest, assist(case, department, ref))
    case.now = latest
    decide(case, CONSTRUCTION, CITY, CITY)


def assist(case: Case, department: str, ref: str) -> datetime:
    """One assisting department's part. Fire rescue knows the case by a number of its own, which it links."""
    local = f"XF{case.number[-10:]}" if department == FIRE else case.number
    case.wait(case.rng.randint(0, 2))
    if department == FIRE:
        case.put("link", FIRE, CITY, ref=f"fire:{local}")
    case.put("sign", department, CITY, case=local, ref=ref, part=department)
    case.wait(case.rng.randint(1, 8))
    case.put("finish", department, CITY, case=local, ref="opinion", part=department, text="通过")
    return case.now


FLOWS: dict[str, Callable[[Case], None]] = {
    "inspection": inspection,
    "counter": counter,
    "up": up,
    "down": down,
    "across": across,
    "joint": joint,
}


def simulate(cases: int, seed: int) -> list[Case]:
    """So many cases, each from its own random numbers: more cases do not change the earlier ones."""
    return [_one(number, seed) for number in range(1, cases + 1)]


def _one(number: int, seed: int) -> Case:
    rng = Random(f"jichuan/{seed}/{number}")  # noqa: S311  a made-up city
    item = rng.choices(ITEMS, [item.weight for item in ITEMS])[0]
    opened = FIRST_DAY + timedelta(int(DAYS * rng.random() ** 0.5))  # a growing city: many cases are still open at the end
    while not working(opened):
        opened += timedelta(1)
    start = datetime(opened.year, opened.month, opened.day, 9) + timedelta(minutes=rng.randint(0, 400))  # noqa: DTZ001  local
    county = rng.choice(COUNTIES)
    case = Case(f"{county}{opened:%Y%m%d}{number:06d}", item, county, rng, start)
    FLOWS[item.flow](case)
    case.facts = [fact for fact in case.facts if fact.at <= NOW]
    return case
