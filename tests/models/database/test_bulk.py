"""Many rows at once lie there as one by one, on both databases, and an error never quotes a value."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import bindparam, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import select

from models.database.bulk import insert_many, insert_new, update_many
from models.database.engine import Database
from models.tables.tenants import Tenant
from models.tables.transfers import TransferJob, TransferSource

AT = datetime(2026, 11, 23, 2, 0, 0, 7, tzinfo=UTC)
SOURCES = TransferSource.__table__  # type: ignore[attr-defined]
FINISH = (
    update(SOURCES)
    .where(SOURCES.c.id == bindparam("b_id"), SOURCES.c.kind == "csv")
    .values(mapping=bindparam("n_mapping"), finished_at=bindparam("n_at"), read_rows=SOURCES.c.read_rows + 0)
)


@pytest.fixture
def job(database: Database) -> str:
    with database.write() as session:
        session.add(Tenant(code="buyer", name="-", created_at=AT))
        session.flush()
        session.add(
            TransferJob(
                token="buyer.1", tenant="buyer", branch="hq", plan_hash="-", stage="collecting", created_by="-",
                created_by_person="-", created_at=AT, updated_at=AT,
            )
        )  # fmt: skip
    return "buyer.1"


def sources(job: str, count: int, *, first: int = 1) -> list[dict[str, object]]:
    """Rows with a document, an instant of another zone, and none."""
    here = AT.astimezone(timezone(timedelta(hours=8)))
    return [
        {
            "id": f"tsr_{number}", "tenant": "buyer", "job": job, "number": number, "kind": "csv", "place": "客户.csv",
            "mapping": {"fields": {"姓名": number}} if number % 2 else {}, "mapping_hash": "-", "digest": None,
            "read_rows": 0, "left_out": None, "finished_at": here if number % 3 == 0 else None,
        }
        for number in range(first, first + count)
    ]  # fmt: skip


@pytest.mark.parametrize("count", [1, 60])  # by statement, and by COPY on PostgreSQL
def test_documents_and_instants_come_back_as_they_went_in(database: Database, job: str, count: int) -> None:
    rows = sources(job, count)
    with database.write() as session:
        insert_many(session, SOURCES, rows)
    with database.read() as session:
        found = session.exec(select(TransferSource).order_by(SOURCES.c.number)).all()
    assert [each.model_dump() for each in found] == rows
    assert all(each.finished_at is None or each.finished_at.utcoffset() == timedelta(0) for each in found)


def test_what_is_there_already_stays_and_is_not_counted(database: Database, job: str) -> None:
    with database.write() as session:
        assert insert_new(session, SOURCES, sources(job, 3)) == {"tsr_1", "tsr_2", "tsr_3"}
    changed = [row | {"place": "other.csv"} for row in sources(job, 5)]
    with database.write() as session:
        assert insert_new(session, SOURCES, changed) == {"tsr_4", "tsr_5"}
    with database.read() as session:
        places = session.exec(select(TransferSource.place).order_by(SOURCES.c.number)).all()
    assert places == ["客户.csv"] * 3 + ["other.csv"] * 2


def test_an_update_changes_its_rows_and_no_others(database: Database, job: str) -> None:
    with database.write() as session:
        insert_many(session, SOURCES, sources(job, 4))
        update_many(session, FINISH, [{"b_id": f"tsr_{n}", "n_mapping": {"n": n}, "n_at": AT} for n in (1, 2, 9)])
    with database.read() as session:
        found = {each.number: each for each in session.exec(select(TransferSource)).all()}
    assert {number: each.mapping for number, each in found.items() if "n" in each.mapping} == {1: {"n": 1}, 2: {"n": 2}}
    assert [found[number].finished_at for number in (1, 2, 4)] == [AT, AT, None]


@pytest.mark.parametrize("count", [1, 60])
def test_an_instant_without_a_zone_is_refused(database: Database, job: str, count: int) -> None:
    rows = [row | {"finished_at": datetime(2026, 11, 23)} for row in sources(job, count)]
    with pytest.raises(Exception, match="time zone"), database.write() as session:
        insert_many(session, SOURCES, rows)


@pytest.mark.parametrize("count", [2, 60])
def test_a_refused_row_is_not_quoted_and_nothing_is_kept(database: Database, job: str, count: int) -> None:
    rows = [row | {"number": 1, "place": "张伟 110101199003070018"} for row in sources(job, count)]
    with pytest.raises(IntegrityError) as error, database.write() as session:
        insert_many(session, SOURCES, rows)
    assert "110101199003070018" not in str(error.value)
    with database.read() as session:
        assert session.exec(select(TransferSource)).all() == []
