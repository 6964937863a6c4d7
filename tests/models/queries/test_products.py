"""What a tenant has set: versions, of which the newest counts and each can be found by its name."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy.exc import IntegrityError

from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from models.database.engine import Database
from models.domain.collection_policy import DEFAULT_POLICY
from models.domain.data_scope import DEFAULT_SCOPE
from models.domain.privacy_notice import DEFAULT_NOTICE
from models.domain.product import DEFAULT_PRODUCT, InstallmentProduct
from models.operations.products import set_default_terms, set_terms
from models.queries.products import collection_policy_of, data_scope_of, notice_named, product_named, product_of
from models.tables.tenants import Tenant
from tests.support.clock import FakeClock

DEARER = replace(DEFAULT_PRODUCT, version="installment-product/2027-01", late_rate=Decimal("0.24"))


def write(database: Database, clock: FakeClock, *rows: InstallmentProduct, new: bool = False) -> None:
    deed = Deed(tenant="main", action="tenant.created", target="main", actor="test", at=clock())
    with unit_of_work(database, deed) as unit:
        if new:
            unit.session.add(Tenant(code="main", name="-", created_at=clock()))
            unit.session.flush()
            set_default_terms(unit.session, tenant="main", now=clock())
        for product in rows:
            set_terms(unit.session, product, tenant="main", by="stf_1", now=clock())


def test_a_new_version_counts_and_the_old_one_explains_what_was_made_under_it(
    database: Database, clock: FakeClock
) -> None:
    write(database, clock, new=True)
    clock.set(clock() + timedelta(days=1))
    write(database, clock, DEARER)
    with database.read() as session:
        assert product_of(session, "main") == DEARER
        assert product_named(session, "main", version=DEFAULT_PRODUCT.version) == DEFAULT_PRODUCT
        assert collection_policy_of(session, "main") == DEFAULT_POLICY
        assert notice_named(session, "main", version=DEFAULT_NOTICE.version) == DEFAULT_NOTICE
        assert data_scope_of(session, "main") == DEFAULT_SCOPE
        with pytest.raises(LookupError):
            product_named(session, "main", version="installment-product/1999-01")


def test_a_version_is_never_written_twice(database: Database, clock: FakeClock) -> None:
    write(database, clock, new=True)
    with pytest.raises(IntegrityError):
        write(database, clock, DEFAULT_PRODUCT)


def test_a_tenant_without_records_has_the_default(sqlite_database: Database) -> None:
    with sqlite_database.read() as session:
        assert product_of(session, "other") == DEFAULT_PRODUCT
        assert product_named(session, "other", version=DEFAULT_PRODUCT.version) == DEFAULT_PRODUCT
        assert collection_policy_of(session, "other") == DEFAULT_POLICY
        assert notice_named(session, "other", version=DEFAULT_NOTICE.version) == DEFAULT_NOTICE
        assert notice_named(session, "other", version="notice/of-another-bank") is None
        assert data_scope_of(session, "other") == DEFAULT_SCOPE


def test_a_product_kept_before_a_field_was_there_is_read_with_its_default() -> None:
    kept = DEFAULT_PRODUCT.as_record()
    first = {"version", "source", "original_rate", "late_rate", "minimum_minor", "maximum_minor", "offer_days"}
    kept = {name: value for name, value in kept.items() if name in first | {"default_rows"}}
    assert InstallmentProduct.from_record(kept) == DEFAULT_PRODUCT
