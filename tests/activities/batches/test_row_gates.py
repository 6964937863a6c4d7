"""Each rule of a row's gate keeps its order from being made, with its citation; nothing of the others is held up."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, col

from compliance.rules.registry import rule_on
from models.domain.batches.kinds import KindName
from models.domain.tokens import new_token
from models.tables.agreements import Agreement, AgreementRow, Mandate
from models.tables.batch_books import BatchDispute
from models.tables.batch_clients import BatchClient, FundingAccount
from models.tables.batch_runs import BatchOrder
from models.tables.daily import BusinessDate, DebitOrder, Ticket
from models.tables.installments import RuleVerdict
from models.tables.tenants import Tenant
from tests.support.batch_executing import ExecuteOffice
from tests.support.daybook import ONE_DAY, START, TENANT, level_rows

Obstacle = Callable[[Session, Agreement, ExecuteOffice], None]


@pytest.fixture
def office(database, vault, clock, tmp_path: Path) -> ExecuteOffice:
    return ExecuteOffice(database, vault, clock, tmp_path)


def _mandate(session: Session, agreement: Agreement, **values: Any) -> None:
    mandate = session.get_one(Mandate, agreement.mandate_id)
    for name, value in values.items():
        setattr(mandate, name, value)
    session.add(mandate)


def revoked(session: Session, agreement: Agreement, office: ExecuteOffice) -> None:
    _mandate(session, agreement, revoked_at=office.clock())


def revoked_on_a_card_account(session: Session, agreement: Agreement, office: ExecuteOffice) -> None:
    """CCM-57a speaks of other accounts; without a ground nothing is debited from this one either."""
    _mandate(session, agreement, revoked_at=office.clock(), account_kind="credit-card")


def run_out(session: Session, agreement: Agreement, _office: ExecuteOffice) -> None:
    _mandate(session, agreement, valid_to=START - ONE_DAY)


def somebody_elses(session: Session, agreement: Agreement, office: ExecuteOffice) -> None:
    other = next(each for each in office.book.all(Agreement) if each.id != agreement.id)
    _mandate(session, agreement, subject_id=other.subject_id)


def wage_account(session: Session, agreement: Agreement, _office: ExecuteOffice) -> None:
    _mandate(session, agreement, account_kind="wage-special")


def other_payee(session: Session, agreement: Agreement, office: ExecuteOffice) -> None:
    session.add(Tenant(code="other", name="-", sandbox=True, created_at=office.clock()))
    session.flush()
    _mandate(session, agreement, tenant="other")


def low_limit(session: Session, agreement: Agreement, _office: ExecuteOffice) -> None:
    _mandate(session, agreement, limit_minor=100)


def disputed(session: Session, agreement: Agreement, office: ExecuteOffice) -> None:
    session.add(
        Ticket(
            id=new_token("tkt"), tenant=TENANT, case_token=agreement.case_token, kind="dispute", state="OPEN",
            due_at=office.clock(), opened_by="test", created_at=office.clock(),
        )
    )  # fmt: skip


def paid(session: Session, agreement: Agreement, _office: ExecuteOffice) -> None:
    row = session.get_one(AgreementRow, (agreement.id, 1))
    row.paid_principal_minor, row.paid_interest_minor = row.principal_minor, row.interest_minor
    session.add(row)


def _debit(agreement: Agreement, office: ExecuteOffice, state: str) -> DebitOrder:
    return DebitOrder(
        id=new_token("dbo"), tenant=TENANT, agreement_id=agreement.id, mandate_id=agreement.mandate_id, row_no=1,
        attempt=1, end_to_end_id="test-1-1", amount_minor=1, requested_on=START - ONE_DAY, state=state,
        policy_version="retry/2026-01", created_at=office.clock(), updated_at=office.clock(),
    )  # fmt: skip


def under_way_in_the_daily_run(session: Session, agreement: Agreement, office: ExecuteOffice) -> None:
    session.add(_debit(agreement, office, "SENT"))


def taken_by_the_daily_run(session: Session, agreement: Agreement, office: ExecuteOffice) -> None:
    session.add(_debit(agreement, office, "SETTLED"))


def ended(session: Session, agreement: Agreement, _office: ExecuteOffice) -> None:
    held = session.get_one(Agreement, agreement.id)
    held.status = "settled"
    session.add(held)


def due_row(office: ExecuteOffice) -> Agreement:
    """An agreement whose first row is due on the business date."""
    agreement = office.book.agree(rows=level_rows(2))

    def act(session: Session) -> None:
        row, held = session.get_one(AgreementRow, (agreement.id, 1)), session.get_one(Agreement, agreement.id)
        row.due, held.folded_to = START, START - ONE_DAY
        session.add_all((row, held))

    office.book.change(act)
    return agreement


@pytest.mark.parametrize(
    ("rule", "reason", "obstacle"),
    [
        ("CBL-29", "mandate-revoked", revoked),
        ("CBL-29", "mandate-revoked", revoked_on_a_card_account),
        ("CBL-29", "mandate-revoked", run_out),
        ("CCM-57a", "blocked-by-rule", somebody_elses),
        ("WAGE-33", "blocked-by-rule", wage_account),
        ("DDB-MATCH", "blocked-by-rule", other_payee),
        ("DDB-LIMIT", "blocked-by-rule", low_limit),
        ("BATCH-CUT", "disputed", disputed),
        ("BATCH-CUT", "nothing-due", paid),
        ("BATCH-CUT", "blocked-by-rule", ended),
        ("BATCH-ONCE", "order-open", under_way_in_the_daily_run),
        ("BATCH-ONCE", "nothing-due", taken_by_the_daily_run),
    ],
)
def test_each_rule_bars_a_debit(office: ExecuteOffice, rule: str, reason: str, obstacle: Obstacle) -> None:
    against, free = due_row(office), due_row(office)
    token = office.run([office.row_claim(each) for each in (against, free)])
    office.book.change(lambda session: obstacle(session, against, office))
    office.execute(token)
    office.execute(token)

    by_claim = {each.claim_key: each for each in office.orders(token)}
    barred, made = by_claim[f"row/{against.id}/1"], by_claim[f"row/{free.id}/1"]
    assert (made.state, made.final_state, made.amount_minor) == ("queued", None, 101_000)
    assert (barred.state, barred.final_state, barred.reason_code) == ("barred", "barred", reason)
    assert barred.rule_id == rule
    said = office.book.all(RuleVerdict, col(RuleVerdict.case_token) == token)
    assert rule in {each.rule_id for each in said}
    assert {each.gate_key for each in said} == {f"{token}/batches.run-row/{barred.member}"}
    found = rule_on(rule, as_of=START)
    assert found is not None
    assert found.citation.law_en
    assert found.citation.article_en


def test_without_a_mandate_nothing_is_debited(office: ExecuteOffice) -> None:
    agreement = due_row(office)
    token = office.run([office.row_claim(agreement) | {"mandate_id": None}])
    office.execute(token)
    (order,) = office.orders(token)
    assert (order.final_state, order.reason_code, order.rule_id) == ("barred", "no-mandate", "CBL-29")


def test_an_open_dispute_of_an_order_bars_the_next_one_under_its_mandate(office: ExecuteOffice) -> None:
    agreement = office.book.agree()
    first = office.run(office.claims([agreement], 1))
    office.execute(first)
    (order,) = office.orders(first)
    office.book.change(
        lambda session: session.add(
            BatchDispute(
                id=new_token("bdi"), tenant=TENANT, run=first, order_id=order.id, subject_id=agreement.subject_id,
                mandate_id=agreement.mandate_id, reason_code="amount-wrong", state="open", due_at=office.clock(),
                opened_by="test", opened_at=office.clock(),
            )
        )
    )  # fmt: skip
    again = office.run(office.claims([agreement], 2)[1:])
    office.execute(again)
    assert [(each.reason_code, each.rule_id) for each in office.orders(again)] == [("disputed", "BATCH-CUT")]


def test_the_limit_of_a_mandate_holds_for_the_day_together_in_the_rehearsal_as_in_the_run(
    office: ExecuteOffice,
) -> None:
    agreement = office.book.agree(limit_minor=1_000)
    token = office.run(
        [each | {"amount_minor": 400} for each in office.claims([agreement], 4)], settings={"chunkRows": 1}
    )
    summed = office.rehearse(token)
    assert (summed.orders, summed.barred, summed.amount_minor) == (2, 2, 800)
    office.execute(token)
    assert [each.rule_id for each in office.orders(token)] == [None, None, "DDB-LIMIT", "DDB-LIMIT"]
    office.walk(office.rules().compare_live, token)
    assert {each.difference for each in office.expected(token)} == {None}


# Payroll --------------------------------------------------------------------------------------------------------------

WAGE = {
    "own-account": "yes",
    "sheet-signed": "yes",
    "card-held": "no",
    "contractor-told": "no",
    "gross-minor": "600000",
    "damages-minor": "0",
    "minimum-wage-minor": "270000",
    "deductions": "income-tax social-insurance",
    "ledger-items": (
        "employer cycle date payee-name id-number contact hours items deductions net voucher"
    ),
}  # fmt: skip


def payroll(
    office: ExecuteOffice,
    *,
    client: dict[str, Any] | None = None,
    account: dict[str, Any] | None = None,
    second: dict[str, str] | None = None,
    agreed_day: int | None = START.day,
) -> str:
    """Two wages, of which the second says something else."""
    now = office.clock()
    client_id, account_id = new_token("bcl"), new_token("fac")

    def write(session: Session) -> None:
        session.add(
            BatchClient(
                id=client_id, tenant=TENANT, code=client_id[-6:], name_cell=b"-", agreement_from=START, state="active",
                created_at=now, agreed_day=agreed_day, **(client or {}),
            )
        )  # fmt: skip
        session.flush()
        funding = {"account_kind": "wage-special", "balance_minor": 10_000_000} | (account or {})
        session.add(
            FundingAccount(id=account_id, tenant=TENANT, client=client_id, account_cell=b"-", updated_at=now, **funding)
        )

    office.book.change(write)
    members = [
        {
            "claim_key": f"wage/{client_id}/2026-11/{number}",
            "subject_id": new_token("sub"),
            "import_line": number,
            "amount_minor": 500_000,
        }
        for number in (1, 2)
    ]
    token = office.run(members, kind=KindName.PAYROLL, client=client_id, funding_account=account_id)
    office.file_rows(token, 2)
    office.said = {1: WAGE, 2: WAGE | (second or {})}
    return token


_PROJECT = {"migrant_workers": True, "wage_project": True}


@pytest.mark.parametrize(
    ("rule", "client", "account", "second"),
    [
        ("WAGE-P6", {}, {}, {"own-account": "no"}),
        ("WAGE-P15", {}, {}, {"deductions": "income-tax fine"}),
        ("WAGE-P16", {}, {}, {"damages-minor": "120001"}),
        ("WAGE-P16", {}, {}, {"damages-minor": "1", "minimum-wage-minor": "500001"}),
        ("WAGE-31", _PROJECT, {}, {"card-held": "yes"}),
        ("WAGE-31", _PROJECT, {}, {"sheet-signed": "no"}),
        ("WAGE-15", _PROJECT, {}, {"ledger-items": "employer cycle"}),
        ("WAGE-P6", {}, {}, {"own-account": ""}),
    ],
)
def test_each_rule_of_wages_bars_its_row_and_no_other(
    office: ExecuteOffice, rule: str, client: dict[str, Any], account: dict[str, Any], second: dict[str, str]
) -> None:
    token = payroll(office, client=client, account=account, second=second)
    office.execute(token)
    whole, barred = office.orders(token)
    assert (whole.final_state, whole.state, whole.amount_minor) == (None, "queued", 500_000)
    assert (barred.final_state, barred.rule_id, barred.reason_code) == ("barred", rule, "blocked-by-rule")
    found = rule_on(rule, as_of=START)
    assert found is not None
    assert found.citation.article_en
    office.assert_conserved(token)


@pytest.mark.parametrize(
    ("rule", "client", "account", "agreed_day"),
    [
        ("WAGE-31", _PROJECT, {"account_kind": "settlement"}, START.day),
        ("WAGE-27", _PROJECT, {"balance_minor": 999_999}, START.day),
        ("WAGE-P7", {}, {}, START.day - 1),  # a Sunday: the Friday before it
        ("WAGE-14", {"migrant_workers": True}, {}, START.day - 1),
        ("WAGE-P7", {}, {}, None),
    ],
)
def test_what_holds_for_the_whole_payroll_bars_each_row(
    office: ExecuteOffice, rule: str, client: dict[str, Any], account: dict[str, Any], agreed_day: int | None
) -> None:
    token = payroll(office, client=client, account=account, agreed_day=agreed_day)
    office.execute(token)
    assert {each.final_state for each in office.orders(token)} == {"barred"}
    assert rule in {each.rule_id for each in office.book.all(RuleVerdict, col(RuleVerdict.case_token) == token)}


def test_a_wage_is_paid_on_the_bank_day_before_the_agreed_day_that_is_none(office: ExecuteOffice) -> None:
    """WAGE-P7: the agreed day is a Sunday, and the Monday after it is too late; on the Friday it is in time."""
    token = payroll(office, agreed_day=START.day - 1)

    def friday(session: Session) -> None:
        row = session.get_one(BusinessDate, TENANT)
        row.today = START - timedelta(days=3)
        session.add(row)

    office.book.change(friday)
    office.execute(token)
    assert {each.final_state for each in office.orders(token)} == {None}


def test_a_wage_is_not_paid_twice(office: ExecuteOffice) -> None:
    token = payroll(office)
    office.execute(token)

    def settle(session: Session) -> None:
        order = session.get_one(BatchOrder, office.orders(token)[0].id)
        order.state = order.final_state = "settled"
        session.add(order)

    office.book.change(settle)
    keys = [each.claim_key for each in office.orders(token)]
    again = [
        {"claim_key": key, "subject_id": new_token("sub"), "amount_minor": 500_000, "import_line": at}
        for at, key in enumerate(keys, start=1)
    ]
    run = office.of_run(token)
    second = office.run(again, kind=KindName.PAYROLL, client=run.client, funding_account=run.funding_account)
    office.file_rows(second, 2)
    office.execute(second)
    assert [(each.reason_code, each.rule_id) for each in office.orders(second)] == [
        ("nothing-due", "BATCH-ONCE"),
        ("order-open", "BATCH-ONCE"),
    ]
