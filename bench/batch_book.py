"""A book of agreements with one row due each, for measuring batches; and the floor of writing rows."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import islice
from typing import Any, Final

from sqlalchemy import create_engine, select
from sqlmodel import Session, SQLModel

from bench.measuring import NOW, Stores, spent
from compliance.vault.cells import RowAddress
from models.database.bulk import insert_many
from models.domain.servicing.state import Status
from models.domain.states import CaseStage
from models.tables.agreements import Agreement, AgreementRow, Mandate, PlanOffer
from models.tables.installments import InstallmentCase
from models.tables.parties import Subject
from tests.support.casework import _FACTS
from tests.support.daybook import START, TENANT

_CHUNK: Final = 500
_SIGNED: Final = START - timedelta(days=90)
_AMOUNT: Final = 100_00


def fill(stores: Stores, count: int) -> None:
    """So many persons, each with a sealed mandate and a row that is due on the first business date."""
    numbers = iter(range(count))
    while chunk := list(islice(numbers, _CHUNK)):
        stores.vault.subject_keys(tenant=TENANT, subject_ids=[_id("sub", number) for number in chunk], create=True)
        stores.vault.load_subjects(TENANT, [_id("sub", number) for number in chunk])
        made = [_one(stores, number) for number in chunk]
        with stores.data.write() as session:
            for place in range(len(made[0])):
                rows = [each[place] for each in made]
                table = rows[0].__table__
                insert_many(session, table, [row.model_dump() for row in rows])


def rows_again(stores: Stores, *tables: Any) -> float:
    """Processor seconds that inserting all rows of these tables takes once more: same indexes, no trigger or key."""
    bare = create_engine(f"sqlite:///{stores.folder / f'floor-{tables[0].__tablename__}.db'}")
    for each in tables:
        each.__table__.create(bare)
    took = 0.0
    for each in tables:
        for rows in _pages(stores, each.__table__):

            def insert(rows: list[dict[str, Any]] = rows, table: Any = each.__table__) -> None:
                with Session(bare) as session:
                    insert_many(session, table, rows)
                    session.commit()

            took += spent(insert).processor
    bare.dispose()
    return took


def _pages(stores: Stores, table: Any) -> Iterator[list[dict[str, Any]]]:
    with stores.data.read() as session:
        found = session.connection().execute(select(table).execution_options(yield_per=_CHUNK))
        for page in found.mappings().partitions(_CHUNK):
            yield [dict(row) for row in page]


def _one(stores: Stores, number: int) -> tuple[SQLModel, ...]:
    subject, mandate, agreement = _id("sub", number), _id("mdt", number), _id("agr", number)
    token, offer = f"{TENANT}.{number:026d}", _id("plo", number)
    address = RowAddress(tenant=TENANT, table="mandates", row=mandate, subject=subject)
    cells = stores.vault.seal_many(address, {"account_cell": f"62220000{number:011d}", "holder_cell": "测试·客户"})
    common: dict[str, Any] = {"tenant": TENANT, "created_at": NOW}
    return (
        Subject(id=subject, name_cell=b"-", id_type="-", id_cell=b"-", id_index=subject.encode()[-32:], **common),
        InstallmentCase(
            token=token, subject_id=subject, branch="-", channel="staff", stage=CaseStage.SERVICING,
            created_by="bench", updated_at=NOW, **common, **_FACTS,
        ),
        PlanOffer(
            id=offer, case_token=token, version=1, family="fixed-term", kind="offer", terms={}, rows=[], figures={},
            **common,
        ),
        Mandate(
            id=mandate, subject_id=subject, case_token=token, **cells, bank_code="102100099996",
            profile="generic-cny", purpose="installments", limit_minor=10**9, signed_on=_SIGNED,
            valid_to=_SIGNED + timedelta(days=900), **common,
        ),
        Agreement(
            id=agreement, case_token=token, subject_id=subject, offer_id=offer, mandate_id=mandate,
            plan_hash="0" * 64, currency="CNY", principal_minor=_AMOUNT, start=_SIGNED, terms={}, signed_at=NOW,
            status=Status.ACTIVE, next_due=START, **common,
        ),
        AgreementRow(
            agreement_id=agreement, no=1, tenant=TENANT, due=START, principal_minor=_AMOUNT + number % 97,
            interest_minor=0, fee_minor=0,
        ),
    )  # fmt: skip


def _id(kind: str, number: int) -> str:
    return f"{kind}_{number:026d}"
