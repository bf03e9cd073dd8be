"""What all events are made of: the header, moments, personal values. Equal to the header in every .avsc file by a test."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

#: What Avro's int and long hold.
Int = Annotated[int, Field(ge=-(2**31), le=2**31 - 1)]
Long = Annotated[int, Field(ge=-(2**63), le=2**63 - 1)]


class Part(BaseModel):
    """Base of whatever stands in an event: unknown fields are faults, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Clear(Part):
    """A personal value in the clear."""

    value: str = Field(description="The value.")


class Sealed(Part):
    """A personal value encrypted with a key of its case; destroying the key deletes it."""

    key: str = Field(description="Name of the key, never the key itself.")
    cipher: bytes = Field(description="Nonce and ciphertext.")


#: A personal value: in the clear, or sealed with a key whose destruction deletes it.
Personal = Clear | Sealed


class Precision(StrEnum):
    """The smallest unit that the source told."""

    YEAR = "YEAR"
    MONTH = "MONTH"
    DAY = "DAY"
    HOUR = "HOUR"
    MINUTE = "MINUTE"
    SECOND = "SECOND"
    MILLISECOND = "MILLISECOND"
    MICROSECOND = "MICROSECOND"


class Moment(Part):
    """A moment as the source told it: the instant, how exactly it was told, and in which zone."""

    at: Long = Field(
        description="The instant, microseconds since 1970-01-01 UTC; a coarser moment is the start of its unit in its zone."
    )
    precision: Precision = Field(description="What is finer than this was not told and means nothing.")
    zone: str = Field(
        description="The zone in which it was told: an IANA name such as Asia/Shanghai, or an offset such as +08:00."
    )


class Source(Part):
    """Where the event was read."""

    system: str = Field(description="The connector's name for the department's system.")
    table: str = Field(description="Table, sheet, file or topic inside the system.")
    key: str = Field(description="Business key of the row: versions of one row replace each other as a whole.")
    position: str = Field(description="Where the row stood when it was read: for people and for the audit.")


class OnConflict(StrEnum):
    """What another body under the same event id means."""

    REJECT = "REJECT"
    REPLACE = "REPLACE"


class Header(Part):
    """What every approval event says about itself, the same in all events."""

    event_id: str = Field(
        description="Identity: 32 hexadecimal digits from system, table, key, kind and version of the source row."
    )
    body_hash: str = Field(description="What the event says, as 32 hexadecimal digits: two deliveries of one fact agree.")
    case: str = Field(description="The case's key, <namespace>:<number>; case: is the platform's own namespace.")
    links: list[str] = Field([], description="Other keys under which the source knows this case.")
    region: str | None = Field(None, description="Region code of the case (行政区划, GB/T 2260), 6 to 12 digits.")
    item: str | None = Field(None, description="Code of the item applied for (事项).")
    item_version: str | None = Field(None, description="Version of the item that the source worked by.")
    authority: str | None = Field(None, description="The authority that did it (实施机关), <department>@<region>.")
    level: Int | None = Field(
        None,
        ge=1,
        le=6,
        description="Level of that authority (层级): national 1, provincial 2, municipal 3, county 4, town 5, village 6.",
    )
    actor: Personal | None = Field(None, description="The person who did it (经办人).")
    step: Int | None = Field(None, description="The source's own number of the step, which orders events of one time.")
    sequence: Long = Field(description="The order in which the source recorded its events.")
    activity: str | None = Field(None, description="The activity by the source's own name.")
    occurred_at: Moment = Field(description="When it happened.")
    reported_at: Moment | None = Field(
        None, description="When the source says that it was reported; null where the source keeps no such stamp."
    )
    received_at: Long = Field(description="When the bus received it, microseconds since 1970-01-01 UTC.")
    source: Source = Field(description="The source row.")
    version: Int = Field(1, description="Version of the source row, counted from 1; the highest one counts.")
    conflict: OnConflict = Field(
        OnConflict.REJECT,
        description="REJECT: the earliest reported stands and others are dead letters. REPLACE: the latest reported stands.",
    )
