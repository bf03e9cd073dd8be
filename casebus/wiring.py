"""Where everything meets: the parts of a deployment, made from its files, each when it is first asked for."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from bus.errors import RetryError
from casebus.deployment import Deployment, Mode
from schemas.limits import Terms
from schemas.problem import Problem, ProblemsError
from schemas.yamlfile import Map, load

if TYPE_CHECKING:
    from bus.jars import Progress
    from bus.ports import Client
    from bus.registry import HttpRegistry
    from casebus.keystore import Keyring, Store, Vault
    from casebus.registers import Register
    from connectors.config import Connector
    from monitor.indicator import Panel
    from monitor.lights import Clockwork
    from monitor.statistics.source import Folding
    from monitor.view import View
    from monitor.web.accounts import Accounts
    from monitor.web.site import Act, Site
    from router.law import LawProfile
    from router.signatures import Signatures
    from schemas.calendar import Calendar
    from schemas.catalogue import Catalogue
    from schemas.codec import Codec
    from schemas.directory import Directory
    from schemas.signing import Keys

PATIENCE = 15.0  # seconds: a broker that has just started does not answer every question yet
CONNECTORS, CATALOGUE, DIRECTORY = "connectors", "catalogue", "directory"


T = TypeVar("T")


def patiently(ask: Callable[[], T], seconds: float | None = None) -> T:
    """Ask again while the answer is that waiting helps, by default for `PATIENCE`. Raises RetryError when it has not."""
    deadline = time.monotonic() + (PATIENCE if seconds is None else seconds)
    while True:
        try:
            return ask()
        except RetryError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


class Wall:
    """`bus.ports.Clock`: this machine's time."""

    def now(self) -> int:
        return time.time_ns() // 1_000


class Frozen:
    """`bus.ports.Clock` that always shows one moment."""

    def __init__(self, moment: int) -> None:
        self._moment = moment

    def now(self) -> int:
        return self._moment


class Wiring:
    """The parts of one deployment. Raises ProblemsError with file and line where a file cannot be used."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self.settings = deployment.settings

    @cached_property
    def codec(self) -> Codec:
        from schemas.codec import Codec

        if self.registry is None:
            return Codec(published=self._published)
        from casebus.pins import Pinned

        settings = self.settings.kafka.registry
        pinned = Pinned(self.registry, self.client, self.settings.name)
        return Codec(pinned, published=self._published, framed=settings is not None and settings.write)

    @cached_property
    def registry(self) -> HttpRegistry | None:
        """The schema registry; None where none is named."""
        settings = self.settings.kafka.located(self.deployment.folder).registry
        if settings is None:
            return None
        from bus.registry import HttpRegistry

        return HttpRegistry(settings)

    def _published(self) -> list[str]:
        """The schemas of all versions that work on this deployment; a connection of its own, for it is asked once."""
        from casebus import published

        with self.client() as client:
            return list(published.read(client).values())

    @cached_property
    def calendar(self) -> Calendar:
        from schemas.calendar import Calendar

        return Calendar.from_settings(self.settings.calendar, self.deployment.folder)

    @cached_property
    def directory(self) -> Directory:
        from schemas.directory import Directory

        return Directory.load(self.deployment.path(DIRECTORY))

    @cached_property
    def catalogue(self) -> Catalogue:
        from schemas.catalogue import Catalogue

        return Catalogue.load(self.deployment.path(CATALOGUE), self.directory)

    @cached_property
    def law(self) -> LawProfile:
        terms = Terms(self.settings.rules.clock, self.calendar, self.deployment.zone)
        return self.settings.rules.law.model_copy(update={"terms": terms})

    @cached_property
    def connectors(self) -> list[Connector]:
        from connectors import config

        return config.load(self.deployment.path(CONNECTORS), self.settings.zone, self.sealings)

    @cached_property
    def key_store(self) -> Store:
        """Where the keys of cases lie."""
        from casebus.keystore import Store

        return Store(self.settings.sealing.url(self.deployment.folder))

    @cached_property
    def _vaults(self) -> dict[str, Vault]:
        from casebus.keystore import Vault

        asked, folder = self.settings.sealing.seal, self.deployment.folder
        return {name: Vault(name, one, folder, self.key_store) for name, one in asked.items()}

    def sealings(self, name: str) -> Vault | None:
        """What seals the personal fields of a connector's events; None where nobody asked for it."""
        return self._vaults.get(name)

    @cached_property
    def ring(self) -> Keyring:
        """The keys of cases that this process may use: those of the masters that it can read."""
        from casebus.keystore import Keyring

        settings, folder = self.settings.sealing, self.deployment.folder
        store = self.key_store if settings.seal and settings.exists(folder) else None
        return Keyring(store, settings.readable(folder))

    @property
    def compared(self) -> list[Connector]:
        """The connectors for an audit: without the master key what they seal is compared but for its words."""
        from casebus.keystore import Blind

        read = self.settings.sealing.readable(self.deployment.folder)
        blind = {name: one for name, one in self.settings.sealing.seal.items() if name not in read}
        return [one._replace(sealing=Blind(one.name, blind[one.name])) if one.name in blind else one for one in self.connectors]

    @cached_property
    def keys(self) -> Keys | None:
        """The public keys that signatures are held against; None where nobody looks at them."""
        return self.settings.signatures.trusted(self.deployment.folder)

    @property
    def signatures(self) -> Signatures | None:
        """What the router does about them."""
        from casebus.signatures import Check
        from router.signatures import Signatures

        required = self.settings.signatures.check is Check.REQUIRE
        return None if self.keys is None else Signatures(self.keys, required=required)

    @cached_property
    def registers(self) -> dict[str, Register]:
        """Registers of cases that offices keep beside the bus, by name."""
        from casebus import registers

        return registers.load_all(self.deployment.folder, self.settings.zone)

    def problems(self) -> list[Problem]:
        """Everything that is wrong in any file of the deployment."""
        found: list[Problem] = []
        for part in ("calendar", "directory", "catalogue", "connectors", "registers", "panel", "keys"):
            try:
                getattr(self, part)
            except ProblemsError as error:
                found += error.problems
        return list(dict.fromkeys(found + ([] if found else self.strangers())))

    def strangers(self) -> list[Problem]:
        """Connectors that `access:` and the like name and nobody has: a name misspelt there would give nobody anything."""
        from casebus.signatures import PARTS

        known = {one.name for one in self.connectors}
        asked = {
            ("access", "connectors"): known,
            ("signatures", "sign"): known | PARTS.keys(),
            ("sealing", "seal"): known | {"page"},
        }
        head = load(self.deployment.path(self.deployment.file))
        return [
            Problem(place.where(name), f"there is no connector `{name}`", f"Write one of {', '.join(sorted(names))}.")
            for (section, part), names in asked.items()
            if isinstance(place := (head.get(section) or {}).get(part), Map)
            for name in sorted(place.keys() - names)
        ]

    def check(self) -> None:
        """Raises ProblemsError with all of them."""
        if found := self.problems():
            raise ProblemsError(*found)

    @property
    def receipts(self) -> Wall | Frozen:
        """What time it is for a connector that receives a row (in replay the row's own report counts where it has one)."""
        at = self.settings.clock.at
        return Frozen(self.deployment.micros(at)) if self.settings.clock.mode is not Mode.WALL and at else Wall()

    @property
    def replays(self) -> bool:
        return self.settings.clock.mode is Mode.REPLAY

    def now(self, view: View) -> Callable[[], int]:
        """What time it is for the supervision, in microseconds UTC."""
        from monitor.clockmode import clock

        at = self.settings.clock.at
        return clock(self.settings.clock.mode, self.deployment.micros(at) if at else None, view)

    @cached_property
    def clockwork(self) -> Clockwork:
        from monitor.lights import Clockwork

        return Clockwork(self.settings.rules.clock, self.calendar, self.deployment.zone, self.catalogue)

    @cached_property
    def panel(self) -> Panel:
        from monitor.indicator import Panel

        try:
            return Panel.of(self.settings.thresholds)
        except ProblemsError as error:  # an indicator knows no file
            node = load(self.deployment.path(self.deployment.file))
            raise ProblemsError(*(one._replace(where=node.where(one.where)) for one in error.problems)) from error

    def level(self, authority: str) -> str:
        """The level of an authority in words; empty for one that the directory does not know."""
        found = self.directory.level(authority)
        return found.name.lower() if found else ""

    @property
    def folding(self) -> Folding:
        """The router's fold for the monitor, which imports no router."""
        from monitor.statistics.source import Folding
        from router.case import fold
        from router.hindsight import another_name, counted
        from router.law import UNCOUNTED

        law = self.law
        return Folding(
            lambda events, key: fold(events, law, key),
            counted,
            UNCOUNTED,
            lambda events, key: another_name(events, key, law.namespaces),
        )

    @property
    def view_file(self) -> Path:
        return self.deployment.data / "view.db"

    @property
    def view_url(self) -> str:
        """The view's address in SQLAlchemy's words."""
        return self.settings.view or f"sqlite:///{self.view_file}"

    def view(self) -> View:
        """The view, made when it is not there."""
        from monitor.view import View

        return View.open(self.settings.view) if self.settings.view else View.at(self.view_file)

    @cached_property
    def accounts(self) -> Accounts:
        """Who may see the page."""
        from monitor.web.accounts import Accounts

        return Accounts.at(self.deployment.data / "page.db", self.settings.page.session_hours)

    def site(self, view: View, publish: Callable[[Act], None] | None = None) -> Site:
        """What the page needs."""
        from casebus.calendars import Calendars
        from monitor.caseview import Sentence
        from monitor.indicator import Panel
        from monitor.statistics.compute import Inputs
        from monitor.web.hits import Hits
        from monitor.web.live import Live
        from monitor.web.names import Names
        from monitor.web.past import Past
        from monitor.web.site import Site
        from router.decide import all_rules
        from router.findings import FINDINGS

        inputs, now = Inputs(self.codec, self.folding, self.clockwork), self.now(view)
        return Site(
            name=self.settings.name,
            settings=self.settings.page,
            view=view,
            inputs=inputs,
            now=now,
            live=Live(view, inputs.clockwork, now),
            past=Past(view, inputs),
            hits=Hits(view, inputs.clockwork, now, Panel.of(self.settings.thresholds)),
            accounts=self.accounts,
            names=Names(self.directory.regions, self.directory.authorities, self._item_name),
            items=self.catalogue,
            sentences={code: Sentence(*rule) for code, rule in FINDINGS.items()},
            connectors=[(one.name, one.settings.about, one.settings.kind) for one in self.connectors],
            publish=publish,
            calendars=Calendars(self.deployment, self.calendar),
            level=self.level,
            ring=self.ring,
            rules={rule.name: (rule.title, rule.basis) for rule in all_rules()},
        )

    def _item_name(self, code: str) -> str:
        """As it is called today."""
        item = self.catalogue.item(code, None, datetime.now(self.deployment.zone).date())
        return item.name if item else ""

    @property
    def router_group(self) -> str:
        return f"{self.settings.name}-router"

    @contextmanager
    def client(self, progress: Progress | None = None) -> Iterator[Client]:
        """Kafka: the cluster whose address is set, or the embedded broker, started if no process of ours runs it yet."""
        from bus import connect
        from bus.broker import Broker

        kafka = self.settings.kafka.located(self.deployment.folder)
        if not kafka.embedded:
            client = connect(kafka)
            try:
                yield self._signing(client)
            finally:
                client.close()
            return
        with Broker(self.deployment.data / "kafka", kafka.nodes, progress) as broker:
            client = connect(kafka.at(broker.bootstrap))
            try:
                yield self._signing(client)
            finally:
                client.close()

    def _signing(self, client: Client) -> Client:
        """The client itself, where nobody here signs."""
        from casebus.signatures import SigningClient, Wanted

        wanted = Wanted.of(self.settings.name, self.deployment.folder, self.settings.signatures)
        return SigningClient(client, wanted) if wanted.signing else client
