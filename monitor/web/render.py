"""Templates: plain HTML with escaped values, the same for a browser and for a test."""

from __future__ import annotations

from datetime import tzinfo
from functools import cache
from typing import Any, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined

from monitor.times import local, shown
from monitor.web.access import Right, User
from monitor.web.asked import When, link
from monitor.web.names import Names
from monitor.web.words import Words


@cache
def environment() -> Environment:
    return Environment(
        loader=PackageLoader("monitor.web", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )


class View(NamedTuple):
    """Who looks, in which language, as of when: what every template needs beside its own model."""

    user: User
    words: Words
    names: Names
    zone: tzinfo
    when: When = When()
    path: str = "/"

    def link(self, path: str, **parts: object) -> str:
        """An address that keeps the moment somebody looks at."""
        return link(path, parts | self.when.parts(self.zone))

    def may(self, right: str) -> bool:
        return self.user.may(Right(right))

    def moment(self, at: int | None) -> str:
        return shown(at, self.zone)

    def day(self, at: int | None) -> str:
        return shown(at, self.zone)[:10]

    def short(self, at: int | None) -> str:
        """`03-31 18:00`."""
        return shown(at, self.zone)[5:]

    def tick(self, at: int, first: bool) -> str:
        moment = local(at, self.zone)
        return moment.strftime("%m-%d") if first else moment.strftime("%d")

    def department(self, code: str) -> str:
        return self.names.department(code, self.words)

    def authority(self, code: str) -> str:
        return self.names.authority(code, self.words)

    def region(self, code: str) -> str:
        return self.names.region(code, self.words)

    def item(self, code: str) -> str:
        return self.names.item(code, self.words)

    def text(self, text: str) -> str:
        return self.names.in_text(text, self.words)

    def lag(self, micros: int | None) -> str:
        """How long after, in the largest unit that fits; empty below an hour."""
        hours = (micros or 0) // 3_600_000_000
        if hours < 1:
            return ""
        return self.words("lag.days", n=hours // 24) if hours >= 24 else self.words("lag.hours", n=hours)

    def clip(self, name: str, room: int) -> str:
        """As much of a name as a picture has room for, in letters; a Chinese character takes two."""
        kept = ""
        for letter in name:
            room -= 1 if letter.isascii() else 2
            if room < 0:
                return f"{kept}…"
            kept += letter
        return kept

    def left(self, days: int | None) -> str:
        """Days left of a limit, or over it."""
        if days is None:
            return ""
        return self.words("over", n=-days) if days < 0 else self.words("left", n=days)


def rendered(template: str, view: View, **model: Any) -> str:
    """`t` are the words, `v` the view."""
    return environment().get_template(template).render(v=view, t=view.words, **model)
