"""The institution of the batch demo, made before the stack starts: staff, keys, and customers with mandates.

Mandates come about when agreements are signed; five thousand of them are put on record at once here, each with the
agreement that it was given with. Nothing of these agreements falls due: their rows are not what the demo collects.
"""

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, Final

from sqlmodel import SQLModel

from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from compliance.vault.blind import BlindField
from compliance.vault.cells import RowAddress
from compliance.vault.keyring import Vault
from deploy import datadir
from deploy.bootstrap import Legal, create_tenant
from deploy.clock import wall_clock
from deploy.demo.batches.casting import LIMIT_MINOR, Debited, Debtor
from deploy.demo.mock_bank import CREDITOR_BANK, CREDITOR_NUMBER
from deploy.demo.transfers.companies import accounts_of
from deploy.settings import load_settings
from deploy.stores import Stores, build_vault, open_stores, prepare_embedded
from models.domain.application import ContactPointKind
from models.domain.servicing.state import Status
from models.domain.shanghai import shanghai_date
from models.domain.states import CaseOutcome, CaseStage
from models.domain.tokens import new_case_token, new_token
from models.tables.agreements import Agreement, Mandate, PlanOffer
from models.tables.installments import InstallmentCase
from models.tables.parties import ContactPoint, Subject

TENANT: Final = "main"
BRANCH: Final = "sh-01"
_CHUNK: Final = 200
_AGO: Final = timedelta(days=90)
_VALID: Final = timedelta(days=900)
_LEGAL: Final = Legal(
    name="示例银行",
    address="示例市示范路100号",
    hotline="400-000-0000",
    collection_account=CREDITOR_NUMBER,
    collection_bank=CREDITOR_BANK,
)


def found_bank(data: Path, debtors: list[Debtor], *, progress: Callable[[int], object] = lambda _done: None) -> str:
    """Make the institution in an empty data directory, and put its customers on record. Blocking.

    Args:
        data: the directory; made if it is not there.
        debtors: whose mandates are on record; a stranger's is not.
        progress: called with how many are on record.

    Returns:
        The password of every account.
    """
    datadir.make_private()
    settings = load_settings(overrides={"CASEWORK_DATA_DIR": str(data), "CASEWORK_SANDBOX": "true"})
    password = new_token("demo") + new_token("demo")
    with datadir.exclusive(settings, purpose="demo"), open_stores(settings) as stores:
        prepare_embedded(settings, stores, now=wall_clock())
        vault = build_vault(settings, stores, wall_clock)
        accounts = accounts_of(password)
        create_tenant(stores, vault, code=TENANT, legal=_LEGAL, accounts=accounts, sandbox=True, now=wall_clock())
        known = iter([each for each in debtors if each.part is not Debited.STRANGER])
        done = 0
        while some := list(islice(known, _CHUNK)):
            _put_on_record(stores, vault, some)
            done += len(some)
            progress(done)
    return password


def _put_on_record(stores: Stores, vault: Vault, debtors: list[Debtor]) -> None:
    now = wall_clock()
    subjects = [new_token("sub") for _ in debtors]
    vault.subject_keys(tenant=TENANT, subject_ids=subjects, create=True)  # keys come before rows
    vault.load_subjects(TENANT, subjects)
    records = [list(_records(vault, subject, each, now)) for subject, each in zip(subjects, debtors, strict=True)]
    deed = Deed(
        tenant=TENANT, action="customers.loaded", target="customers", actor="operator", at=now,
        facts={"added": len(debtors)},
    )  # fmt: skip
    with unit_of_work(stores.data, deed) as unit:
        for of_table in zip(*records, strict=True):  # parents first
            unit.session.add_all(of_table)
            unit.session.flush()


def _records(vault: Vault, subject: str, debtor: Debtor, now: datetime) -> Iterator[SQLModel]:
    """One person with a case that is over, its agreement in force, and the mandate that belongs to it."""
    person, today = debtor.person, shanghai_date(now)
    case, offer, point = new_case_token(TENANT), new_token("plo"), new_token("cpt")
    common: dict[str, Any] = {"tenant": TENANT, "created_at": now}

    def sealed(table: str, row: str, **values: str) -> dict[str, Any]:
        return vault.seal_many(RowAddress(tenant=TENANT, table=table, row=row, subject=subject), values)

    yield Subject(
        id=subject,
        id_type=person.id_type,
        id_index=vault.blind_index(tenant=TENANT, field=BlindField.ID_NUMBER, value=person.id_number),
        **sealed("subjects", subject, name_cell=person.name, id_cell=person.id_number),
        **common,
    )
    yield ContactPoint(
        id=point,
        subject_id=subject,
        kind=ContactPointKind.MOBILE,
        value_index=vault.blind_index(tenant=TENANT, field=BlindField.MOBILE, value=person.mobile),
        **sealed("contact_points", point, value_cell=person.mobile),
        **common,
    )
    yield _case(case, subject, debtor, now)
    yield PlanOffer(
        id=offer, case_token=case, version=1, family="fixed-term", kind="offer", terms={}, rows=[], figures={}, **common
    )
    yield Mandate(
        id=debtor.mandate,
        subject_id=subject,
        case_token=case,
        bank_code=CREDITOR_BANK,
        profile="generic-cny",
        purpose="installments",
        limit_minor=LIMIT_MINOR,
        signed_on=today - _AGO,
        valid_to=today + _VALID,
        revoked_at=now if debtor.part is Debited.REVOKED else None,
        **sealed("mandates", debtor.mandate, account_cell=person.card_number, holder_cell=person.name),
        **common,
    )
    yield _agreement(case, subject, offer=offer, debtor=debtor, start=today - _AGO, now=now)


def _case(token: str, subject: str, debtor: Debtor, now: datetime) -> InstallmentCase:
    person = debtor.person
    return InstallmentCase(
        token=token,
        tenant=TENANT,
        subject_id=subject,
        branch=BRANCH,
        channel="staff",
        stage=CaseStage.ENDED,
        outcome=CaseOutcome.COMPLETED,
        total_due_minor=person.total_due_minor,
        requested_amount_minor=person.requested_amount_minor,
        requested_term_months=person.requested_term_months,
        monthly_income_minor=person.monthly_income_minor,
        essential_expense_minor=person.essential_expense_minor,
        other_debt_payment_minor=person.other_debt_payment_minor,
        dependants=person.dependants,
        hardship_code=person.hardship_code,
        willing_to_repay=person.willing_to_repay,
        created_by="demo",
        created_at=now,
        updated_at=now,
        ended_at=now,
    )


def _agreement(case: str, subject: str, *, offer: str, debtor: Debtor, start: date, now: datetime) -> Agreement:
    return Agreement(
        id=new_token("agr"),
        tenant=TENANT,
        case_token=case,
        subject_id=subject,
        offer_id=offer,
        mandate_id=debtor.mandate,
        plan_hash="0" * 64,
        currency="CNY",
        principal_minor=debtor.person.requested_amount_minor,
        start=start,
        terms={},
        signed_at=now,
        status=Status.ACTIVE,
        created_at=now,
    )
