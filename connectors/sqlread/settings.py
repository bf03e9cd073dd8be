"""What may stand below `source:` of kind `sql`: the table, its order, and one of three ways to read it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from schemas.yamlfile import Settings


def _listed(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


class FlagSettings(Settings):
    """The column in which the reader says that it has taken a row.

    Rows whose column is null or holds one of `unset` are read; afterwards it holds `taken`, or `refused` with the dead
    letter's sentence in `error`. `at` takes the time. `table` is where to write, where the rows come from a query.
    """

    column: str
    unset: list[Any] = Field(default_factory=list)
    taken: Any = 1
    refused: Any = 2
    error: str | None = None
    at: str | None = None
    table: str | None = None

    _short = field_validator("unset", mode="before")(_listed)

    @model_validator(mode="after")
    def _set(self) -> FlagSettings:
        if None in (self.taken, self.refused) or {self.taken, self.refused} & set(self.unset):
            raise ValueError("taken: and refused: must differ from what unset: says, or the same rows come for ever")
        return self


class SqlSettings(Settings):
    """`key` (a column or several) is unique; `watermark`, by default the key, grows with each row that is written or changed.

    Rows may become visible up to `overlap` seconds after rows behind them in that order: so long they are looked for again,
    among the last `remember` rows. With `snapshot` everything is read once in the order of the key before the watermark is
    followed. Rows without a watermark are read in the order of the key, unless `nulls: wait`. `flag` and `outbox` need no
    watermark: what was read is marked, or deleted. `query` may join; its columns are the fields. Columns of `json` hold
    documents whose members are fields (`payload.case_no`). `timeout` are seconds for one statement.
    """

    url: str = Field(repr=False)
    table: str | None = None
    query: str | None = None
    key: list[str] = Field(min_length=1)
    watermark: str | None = None
    overlap: float = Field(60.0, ge=0, le=7 * 86400)
    remember: int = Field(2000, ge=1, le=100_000)
    nulls: Literal["read", "wait"] = "read"
    snapshot: bool = False
    flag: FlagSettings | None = None
    outbox: Literal["delete"] | None = None
    json_columns: list[str] = Field(default_factory=list, alias="json")
    timeout: float = Field(60.0, ge=0)

    _short = field_validator("key", "json_columns", mode="before")(_listed)

    @model_validator(mode="after")
    def _one(self) -> SqlSettings:
        if (self.table is None) == (self.query is None):
            raise ValueError("write either table: or query:")
        if self.flag is not None and self.outbox is not None:
            raise ValueError("write either flag: or outbox:")
        if self.snapshot and (self.watermark is None or self.flag is not None or self.outbox is not None):
            raise ValueError("snapshot: goes before a watermark:, and with neither flag: nor outbox:")
        if self.query is not None and (self.outbox is not None or (self.flag is not None and self.flag.table is None)):
            raise ValueError("rows of a query: cannot be deleted, and flag: needs the table: in which to write")
        return self

    @property
    def name(self) -> str:
        """What people call the rows."""
        return self.table or "query"
