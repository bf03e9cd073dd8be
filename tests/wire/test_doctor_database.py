"""The view's database as the doctor finds it: no driver, no answer, tables of another program."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import create_engine, insert

from casebus.doctor import database
from monitor import tables


def test_a_view_without_driver_database_or_sense_is_found(tmp_path: Path) -> None:
    """Each with another cure; a password never shows."""
    assert "Write `view:`" in database.reached("nonsense")[0].cure
    assert "no driver" in database.reached("mysql+nobody://bus:geheim@db/city")[0].found
    ill = database.reached(f"sqlite:///{tmp_path}")[0]  # a folder, where a file should be
    assert "does not answer" in ill.found
    assert "geheim" not in str(database.reached("mysql+nobody://bus:geheim@db/city"))
    assert database.reached(f"sqlite:///{tmp_path}/view.db")[0].cure == ""


def test_a_view_of_a_newer_program_is_found(tmp_path: Path) -> None:
    """An older one is built anew by itself."""
    for version, well in ((tables.VERSION, True), ("1", True), ("99", False)):
        url = f"sqlite:///{tmp_path}/view-{version}.db"
        engine = create_engine(url)
        tables.meta.create(engine)
        tables.offsets.create(engine)
        with engine.begin() as connection:
            connection.execute(insert(tables.meta), {"name": "version", "value": version})
        engine.dispose()
        assert (database.reached(url)[0].cure == "") is well
