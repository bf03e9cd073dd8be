"""Two pages beside each other, which is how one is restarted while the other serves: they share who may see them."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

from sqlalchemy import create_engine, inspect

from monitor.web.accounts import Accounts, metadata

PAGES = 4


def test_pages_that_start_at_once_make_their_tables_once(tmp_path: Path) -> None:
    """Each finds none, and one is first: the others go on with what that one made."""
    together = threading.Barrier(PAGES)

    def start(place: Path) -> None:
        together.wait()
        Accounts.at(place).close()

    for number in range(3):
        place = tmp_path / f"{number}" / "page.db"
        with ThreadPoolExecutor(PAGES) as pool:
            for done in [pool.submit(start, place) for _ in range(PAGES)]:
                done.result()
        engine = create_engine(f"sqlite:///{place}")
        with closing(engine.raw_connection()):
            assert set(inspect(engine).get_table_names()) == metadata.tables.keys()
        engine.dispose()
