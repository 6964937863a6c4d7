"""Customers' records as they lie in their table: what comes out is what went in, and the indexes find it."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session, select

from compliance.vault.cells import CellAddress
from compliance.vault.customer_layout import (
    CUSTOMER_LAYOUT,
    SEALED_COLUMNS,
    STORED_COLUMNS,
    Customer,
    as_stored,
    customer_tokens,
    open_customers,
    seal_customers,
    stored_of,
)
from compliance.vault.keyring import Vault
from models.database.engine import Database
from models.domain.clock import Clock
from models.domain.customers.record import CELL_FIELDS, CLEAR_FIELDS, FIELDS, PACKED_FIELDS
from models.errors import CannotOpen
from models.tables.all import METADATA
from models.tables.customers import CustomerRecord
from models.tables.tenants import Tenant
from tests.support.people import person

NEEDED = {"customer_no": "C0001", "name": "王小明", "id_type": "resident-id", "id_number": "110101199003071233"}
_TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
_SINGLE = {"mobile": "+8613800138000", "email": "a@example.com", "account": "6222021234567890123"}


@pytest.fixture
def bank(vault: Vault) -> Vault:
    vault.ensure_tenant("acme")
    return vault


def test_the_layout_is_that_of_the_table() -> None:
    table = METADATA.tables["customer_records"]
    assert {column.name for column in table.columns if column.info.get("sealed")} == set(SEALED_COLUMNS)
    assert {*CUSTOMER_LAYOUT.indexes} == {column.name for column in table.columns if column.name.endswith("_index")}
    assert {*CELL_FIELDS, *PACKED_FIELDS, *CLEAR_FIELDS} == set(FIELDS)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30)
@given(
    packed=st.dictionaries(st.sampled_from(PACKED_FIELDS), st.one_of(st.none(), _TEXT)),
    single=st.dictionaries(st.sampled_from(sorted(_SINGLE)), st.none()),
    language=st.one_of(st.none(), st.sampled_from(["zh-CN", "en"])),
)
def test_what_is_opened_is_what_was_sealed(
    bank: Vault, packed: dict[str, str | None], single: dict[str, None], language: str | None
) -> None:
    values = {**NEEDED, **_SINGLE, **single, **packed, "language": language}
    [stored] = seal_customers(bank, tenant="acme", customers=[Customer("cus_1", "sub_1", values)], create=True)
    assert set(stored.columns) == set(STORED_COLUMNS)
    [opened] = open_customers(bank, tenant="acme", stored=[stored])
    assert opened == Customer("cus_1", "sub_1", as_stored(values))
    wanted = {"mobile", "address", "id_type"}
    [part] = open_customers(bank, tenant="acme", stored=[stored], fields=wanted)
    assert part.values == {name: value for name, value in as_stored(values).items() if name in wanted}


def test_many_lie_in_the_table_and_are_found_by_any_spelling(
    bank: Vault, sqlite_database: Database, clock: Clock
) -> None:
    customers = [
        Customer(f"cus_{number}", f"sub_{number}", {**NEEDED, "customer_no": f"C{number}", "name": person(number).name})
        for number in range(1, 4)
    ]
    with Session(sqlite_database.engine) as session:
        session.add(Tenant(code="acme", name="某某银行", created_at=clock()))
        session.flush()
        for row, subject, columns in seal_customers(bank, tenant="acme", customers=customers, create=True):
            record = CustomerRecord(
                id=row, tenant="acme", subject_id=subject, created_at=clock(), updated_at=clock(), **columns
            )
            session.add(record)
        session.commit()
    with Session(sqlite_database.engine) as session:
        [[token]] = customer_tokens(bank, tenant="acme", index="customer_no_index", values=[" c-2 "])
        found = session.exec(select(CustomerRecord).where(CustomerRecord.customer_no_index == token)).one()
        [opened] = open_customers(bank, tenant="acme", stored=[stored_of(found)])
        assert opened.values == as_stored(customers[1].values)
        name = CellAddress("acme", "customer_records", "name_cell", found.id, found.subject_id)
        assert bank.open_text(name, found.name_cell) == person(2).name


def test_a_record_in_the_place_of_another_does_not_open(bank: Vault) -> None:
    both = [Customer(f"cus_{number}", "sub_1", NEEDED) for number in (1, 2)]
    one, other = seal_customers(bank, tenant="acme", customers=both, create=True)
    with pytest.raises(CannotOpen):
        list(open_customers(bank, tenant="acme", stored=[one._replace(columns=other.columns)]))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"name": "王小明"}, "lacks customer_no, id_number, id_type"),
        ({**NEEDED, "salary": "999888"}, "no field salary"),
        ({**NEEDED, "email": ""}, "empty email"),
    ],
)
def test_what_cannot_be_a_record_is_refused_without_its_values(
    bank: Vault, values: dict[str, str | None], said: str
) -> None:
    with pytest.raises(ValueError, match=said) as refused:
        list(seal_customers(bank, tenant="acme", customers=[Customer("cus_1", "sub_1", values)], create=True))
    assert not any(value and value in str(refused.value) for value in values.values())
