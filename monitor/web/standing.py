"""The open cases in their order, and how many there are where: changed case by case, and never counted anew."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence
from copy import copy
from operator import attrgetter

from monitor.web.glance import Glance
from monitor.web.picture import Lamps, Place, Tallies, tallied, worst_first

#: With more changes at once than one in so many the order is made anew, which is quicker then.
MANY = 20

_URGENCY = attrgetter("urgency")


class Standing:
    """`ordered` is worst first; what has been handed out stays as it was."""

    def __init__(self, glances: Iterable[Glance] = ()) -> None:
        self._by_key = {one.key: one for one in glances}
        self.ordered: Sequence[Glance] = worst_first(self._by_key.values())
        self.tallies: Tallies = tallied(self.ordered)
        self._taken = {one.key: one for one in self.ordered if one.supervision}

    @property
    def keys(self) -> list[str]:
        return list(self._by_key)

    @property
    def taken(self) -> list[Glance]:
        """Under supervision, worst first."""
        return worst_first(self._taken.values())

    def change(self, keys: Iterable[str], now: Iterable[Glance]) -> bool:
        """These cases are open as told in `now`, and those of them that it does not tell are not; returns whether it is news."""
        come = {one.key: one for one in now}
        gone = [old for key in keys if (old := self._by_key.get(key)) is not None and old != come.get(key)]
        new = [one for one in come.values() if self._by_key.get(one.key) != one]
        if not gone and not new:
            return False
        for one in gone:
            del self._by_key[one.key]
            self._taken.pop(one.key, None)
        self._by_key |= {one.key: one for one in new}
        self._taken |= {one.key: one for one in new if one.supervision}
        self._count(gone, new)
        self._order(gone, new)
        return True

    def _order(self, gone: Sequence[Glance], new: Sequence[Glance]) -> None:
        if (len(gone) + len(new)) * MANY > len(self.ordered):
            self.ordered = worst_first(self._by_key.values())
            return
        ordered = list(self.ordered)
        for one in gone:
            del ordered[bisect_left(ordered, one.urgency, key=_URGENCY)]
        for one in new:
            insort(ordered, one, key=_URGENCY)
        self.ordered = ordered

    def _count(self, gone: Sequence[Glance], new: Sequence[Glance]) -> None:
        tallies, fresh = dict(self.tallies), set[Place]()
        for times, some in ((-1, gone), (1, new)):
            for one in some:
                place = one.region, one.department, one.item
                if place not in fresh:
                    tallies[place] = copy(tallies.get(place) or Lamps())
                    fresh.add(place)
                tallies[place].add(one, times)
        self.tallies = {place: one for place, one in tallies.items() if one.total}
