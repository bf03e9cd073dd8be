"""Kind `kafka`: a department that speaks Kafka itself, in a topic of ours (`approval.ingress.<name>`) or on a cluster of its own.

A position holds the next offset of each partition, in our own topic of positions: groups and commits of the other cluster
play no part. What retention took before it was read is never passed over in silence.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Literal, Self

import structlog
from pydantic import Field, model_validator

from bus import connect
from bus.errors import ConfigurationError
from bus.ports import Client, Partition, Record
from bus.settings import KafkaSettings
from bus.topics import ingress
from connectors.formats import messages
from connectors.formats.messages import MessageSettings
from connectors.formats.objects import Origin
from connectors.outlets import Outlet, OutletSettings
from connectors.source import Batch, Context, Kind, Source, SourceRecord, Target
from connectors.values import Refusal
from schemas.yamlfile import Map, validated

log = structlog.get_logger(__name__)
#: What a topic of ours for a department begins with: it is made where it is missing.
OURS = ingress("").name


class KafkaSource(MessageSettings):
    """`topic`, and what its values are.

    `cluster` is where the topic lies, as section `kafka` of casebus.yaml says it; without it, the deployment's own. `lost` says
    what to do when records went before they were read.
    """

    topic: str = Field(min_length=1)
    cluster: KafkaSettings | None = None
    lost: Literal["stop", "skip"] = "stop"

    @model_validator(mode="after")
    def _known(self) -> Self:
        if self.value == "avro" and not (self.schemas or self.registry or (self.cluster and self.cluster.registry)):
            raise ValueError(
                "values in avro need registry:, the address of their registry, or schemas:, files with their schemas"
            )
        return self


class Topic:
    """The records of one topic."""

    def __init__(self, settings: KafkaSource, context: Context) -> None:
        self._settings = settings
        self._context = context
        self._own = settings.cluster is None
        self._client = _client(settings, context)
        self._rows_in = messages.rows(settings, context)

    def fetch(self, position: str | None, limit: int) -> Iterator[Batch]:
        """Each partition from its offset on. Raises ConfigurationError for a topic that is not there, or was cut off."""
        at: dict[str, int] = json.loads(position) if position else {}
        read = (record for batch in self._client.read(self._starts(at)) for record in batch)
        while batch := list(islice(read, limit)):
            at |= {str(record.partition): record.offset + 1 for record in batch}
            rows = [row for record in batch for row in self._rows(record)]
            yield Batch(rows, json.dumps(at, sort_keys=True))

    def _starts(self, at: dict[str, int]) -> dict[Partition, int]:
        """Where to read each partition on. One that had no row yet is remembered too: what it loses is missed as well.

        A topic that ends before what was read of it is another topic of the same name: its first rows would be passed over.
        """
        begins, ends = self._begins(), self._client.ends([self._settings.topic])
        known = bool(at)
        for place, first in begins.items():
            wanted = at.setdefault(str(place.number), 0 if known else first)
            if wanted < first:
                self._lost(place, wanted, first)
            if wanted > ends[place]:
                self._made_again(place, wanted, ends[place])
        return {place: max(first, at[str(place.number)]) for place, first in begins.items()}

    def _made_again(self, place: Partition, wanted: int, end: int) -> None:
        found = f"{place.topic}, partition {place.number} was read up to offset {wanted:,} and ends at {end:,}"
        raise ConfigurationError(
            f"{self._context.where}: {found}: the topic was made again. Rewind the connector to its beginning."
        )

    def _begins(self) -> dict[Partition, int]:
        topic = self._settings.topic
        try:
            return self._client.begins([topic])
        except ConfigurationError:
            if not (self._own and topic.startswith(OURS)):
                raise
        self._client.create([ingress(topic.removeprefix(OURS))])  # the department's first record needs no administrator
        return self._client.begins([topic])

    def _lost(self, place: Partition, wanted: int, first: int) -> None:
        found = f"{place.topic}, partition {place.number}: offsets {wanted:,} to {first - 1:,} went before they were read"
        if self._settings.lost == "stop":
            remedy = "Ask the department to send them again, then write lost: skip to go on behind them."
            raise ConfigurationError(f"{self._context.where}: {found}. {remedy}")
        log.warning("records lost", connector=self._context.where, found=found)

    def _rows(self, record: Record) -> list[SourceRecord]:
        """None where it only says that its key is gone."""
        if record.value is None:
            return []
        origin = Origin(f"{record.topic}:{record.partition}:{record.offset}", record.offset, record.value)
        try:
            return self._rows_in(origin)
        except Refusal as refusal:
            fault = refusal
        except ValueError as error:
            fault = Refusal("broken_line", f"found a record that cannot be read ({error})", "Send the record again, whole")
        return [SourceRecord(origin.place, origin.number, {}, origin.raw[:1_000_000], fault)]

    def close(self) -> None:
        if not self._own:
            self._client.close()


def _client(settings: KafkaSource, context: Context) -> Client:
    if settings.cluster is not None:
        return connect(settings.cluster)
    if context.cluster is None:
        raise ConfigurationError(
            f"{context.where}: {settings.topic} lies in the deployment's own Kafka, which is not open here. "
            "Run the deployment, or write cluster: with the address of another one."
        )
    return context.cluster


def _settings(node: Map) -> KafkaSource:
    return validated(KafkaSource, node)


def _located(settings: KafkaSource, base: Path) -> KafkaSource:
    cluster = settings.cluster and settings.cluster.located(base)
    placed = settings.placed(base)
    if settings.value == "avro" and placed["registry"] is None:
        placed["registry"] = cluster and cluster.registry
    return settings.model_copy(update={**placed, "cluster": cluster})


def _open(settings: KafkaSource, context: Context) -> Source:
    return Topic(settings, context)


def _target(settings: OutletSettings, context: Context) -> Target:
    return Outlet(settings, context)


KIND = Kind(
    about="A Kafka topic: the department writes it itself, in JSON, Avro or lines of text, or with Debezium",
    settings=_settings,
    open=_open,
    table=lambda settings: settings.topic,
    nested=lambda settings: settings.nested,
    inside=lambda settings: settings.cluster is None,
    located=_located,
    target_settings=OutletSettings,
    target=_target,
)
