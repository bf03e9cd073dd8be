"""What supervisors do on the page, brought onto the bus as events like any other: the router applies and may act on them.

Taking a case up is `SupervisionOpened`, closing it `SupervisionClosed`. A note or an urging is told again under the same
supervision, with an activity of its own, which changes nothing in the case and stands in its journal.
"""

from __future__ import annotations

import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from bus.errors import ConfigurationError
from bus.partition import partition_of
from bus.ports import Client, Message
from bus.topics import EVENTS
from casebus import published
from casebus.wiring import Wiring
from schemas.envelope import Event, body_hash, event_id
from schemas.problem import ProblemsError

if TYPE_CHECKING:
    from connectors.sealed import Sealing
    from monitor.web.site import Act
    from schemas.codec import Codec

SYSTEM, TABLE = "casebus-page", "supervisions"
CLOSING = "shut"
#: The page's name in `sealing:` and `signatures:`.
PART = "page"


class Publisher:
    """Connects when the first act comes: a page that is only looked at needs no bus."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring
        self._stack = ExitStack()
        self._client: Client | None = None
        self._lock = threading.Lock()

    def publish(self, act: Act) -> None:
        """Returns when it stands in the topic. Raises BusError when it does not."""
        with self._lock:
            client = self._connected()
            found = self._message(act, len(client.ends([EVENTS.name])))
            producer = client.producer(f"{self._wiring.settings.name}-page")
            try:
                producer.begin()
                producer.send([found])
                producer.commit()
            finally:
                producer.close()

    def _message(self, act: Act, partitions: int) -> Message:
        """Sealed where the page seals, its key kept. Raises BusError."""
        sealing = self._wiring.sealings(PART)
        try:
            found = message(act, self._wiring.codec, partitions, sealing)
        except ProblemsError as error:
            raise ConfigurationError("\n".join(map(str, error.problems))) from error
        if sealing is not None:
            sealing.keep()
        return found

    def close(self) -> None:
        self._stack.close()

    def _connected(self) -> Client:
        if self._client is None:
            self._client = self._stack.enter_context(self._wiring.client())
            published.publish(self._client, self._wiring.settings.name)
        return self._client


def message(act: Act, codec: Codec, partitions: int, sealing: Sealing | None = None) -> Message:
    """The act as an event: the same act gives the same id. Raises as the sealing does."""
    kind = "SupervisionClosed" if act.kind == CLOSING else "SupervisionOpened"
    header, body = codec.complete(kind, _header(act, kind), _body(act))
    header["body_hash"] = body_hash(kind, header, body)
    event = Event(kind, header, body)
    event = event if sealing is None else sealing.sealed(event)
    key = act.case.encode()
    value = codec.encode(kind, event.header, event.body)
    return Message(EVENTS.name, partition_of(key, partitions), key, value, act.made_at // 1000)


def _header(act: Act, kind: str) -> dict[str, Any]:
    key = f"{act.supervision}/{act.kind}/{act.made_at}"
    moment = {"at": act.at, "precision": "MICROSECOND", "zone": "UTC"}
    return {
        "event_id": event_id(SYSTEM, TABLE, key, kind, 1),
        "body_hash": "",
        "case": act.case,
        "region": None,  # an act is no word about where the case belongs
        "actor": {"value": act.by.name},
        "activity": act.kind,
        "sequence": act.made_at,
        "occurred_at": moment,
        "reported_at": moment,
        "received_at": act.at,
        "source": {"system": SYSTEM, "table": TABLE, "key": key, "position": key},
    }


def _body(act: Act) -> dict[str, Any]:
    if act.kind == CLOSING:
        return {"supervision": act.supervision, "result": act.text}
    return {"supervision": act.supervision, "by": {"value": act.by.name}, "reason": act.text}
