"""What the pages need of a deployment: made by who wires it (`casebus.wiring`), so that nothing here reads a file of settings."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, tzinfo
from typing import Protocol

from monitor.caseview import Sentence
from monitor.statistics.compute import Inputs
from monitor.statistics.holding import LevelOf
from monitor.times import HOUR, local_date
from monitor.view import View
from monitor.web.access import Scope, User, scope
from monitor.web.accounts import Accounts
from monitor.web.asked import When
from monitor.web.calendars import Calendars
from monitor.web.counted import Counted
from monitor.web.hits import Hits
from monitor.web.live import Live
from monitor.web.names import Names
from monitor.web.operators import Operators
from monitor.web.past import Past
from monitor.web.picture import Picture
from monitor.web.settings import PageSettings
from monitor.web.shared import Shared
from schemas.account import Account, account
from schemas.case import Case
from schemas.catalogue import Item
from schemas.language import language
from schemas.limits import Terms
from schemas.sealing import NO_KEYS, Ring

#: In seconds.
MINUTE = 60
#: By then the monitor has read what the bus had received: a moment not so long ago, or ahead, may still bring more.
READ_BY = HOUR


class Items(Protocol):
    """The part of `schemas.catalogue.Catalogue` that pages need."""

    def item(self, code: str, version: str | None, on: date, region: str = "", /) -> Item | None: ...
    def __iter__(self) -> Iterator[str]: ...


@dataclass(frozen=True)
class Act:
    """What a supervisor does with a case: opens a supervision, notes, urges, or closes it.

    `at` is the supervision's time, `made_at` the machine's, which tells acts apart where the other one stands still.
    """

    case: str
    kind: str
    supervision: str
    by: User
    text: str
    at: int
    made_at: int


@dataclass(frozen=True)
class Site:
    """One deployment's page. `publish` brings an act onto the bus; None where the page stands without one."""

    name: str
    settings: PageSettings
    view: View
    inputs: Inputs
    now: Callable[[], int]
    live: Live
    past: Past
    hits: Hits
    accounts: Accounts
    names: Names
    items: Items
    sentences: Mapping[str, Sentence]
    #: Title and basis of each routing rule, by its name.
    rules: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    #: Name, what it is, and kind of each connector.
    connectors: Sequence[tuple[str, str, str]] = ()
    publish: Callable[[Act], None] | None = None
    #: Who orders connectors about; None where the page stands without a bus.
    operators: Operators | None = None
    #: Official files of other calendars; None where nobody knows any.
    calendars: Calendars | None = None
    #: The level of an authority in words; empty for one that the directory does not know.
    level: LevelOf = lambda _: ""
    #: The keys by which sealed fields are opened for who may see names.
    ring: Ring = NO_KEYS
    #: What was counted by a pass over the whole view.
    counted: Counted = field(default_factory=Counted)
    #: What was drawn or written out for all who see the same.
    shared: Shared = field(default_factory=Shared)

    @property
    def zone(self) -> tzinfo:
        return self.inputs.clockwork.zone

    def scope(self, user: User) -> Scope:
        return scope(user, self.names.regions)

    def items_named(self, part: str) -> Iterator[str]:
        """Codes of items whose name holds this, or whose code begins with it."""
        return (code for code in self.items if code.startswith(part) or part in self.names.item_name(code))

    def until(self, when: When) -> int:
        return self.now() if when.at is None else when.at

    def state(self, when: When) -> int:
        """A number that changes with whatever an answer rests on; what was known then does not, once all of it has been read."""
        if when.at is None:
            return self.live.picture.version
        known = when.then and when.at < self.now() - READ_BY
        return 0 if known else sum(self.view.positions().values())

    def state_of(self, picture: Picture, more: int = 0) -> Hashable:
        """Changes with the live picture, with `more`, and with each minute: a case that nothing happens to grows older."""
        return picture.version, more, self.live.looked // MINUTE

    def picture(self, when: When) -> Picture:
        """Live, or of a past moment: that one is made when it is first asked for, which takes its time."""
        return self.live.picture if when.at is None else self.past.picture(when.window, when.at, self.state(when))

    def account(self, case: Case, now: int, code: str) -> Account:
        """The case's clock in words."""
        clockwork = self.inputs.clockwork
        terms = Terms(clockwork.rules, clockwork.calendar, clockwork.zone)
        return account(case, self.item(case), terms, now, language(code))

    def item(self, case: Case) -> Item | None:
        since = case.applied_at if case.applied_at is not None else case.first_at
        if not case.item or since is None:
            return None
        return self.items.item(case.item, case.item_version or None, local_date(since, self.zone), case.region)
