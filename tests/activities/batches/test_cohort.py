"""Choosing, excluding, previewing and freezing cohorts, on both databases."""

from datetime import timedelta

import pytest
from sqlalchemy.exc import DBAPIError
from sqlmodel import col

from activities.batches.cohort_steps import SqlCohort
from models.contracts.batch_steps import PartStep
from models.domain.batches.kinds import KindName, MemberSource
from models.domain.batches.states import FinalState, MemberState, OrderState, RowState
from models.domain.tokens import new_token
from models.errors import FormInvalid
from models.queries.batches.cohorts import preview
from models.tables.agreements import Agreement, Mandate
from models.tables.audit import AuditEvent
from models.tables.batch_cohorts import BatchMember
from models.tables.batch_runs import BatchOrder, BatchRun
from models.tables.daily import DebitOrder, Ticket
from tests.support.batch_books import BatchBooks
from tests.support.daybook import START, TENANT


def batch_order(run: BatchRun, claim: str, now, **values) -> BatchOrder:
    return BatchOrder(
        id=new_token("bor"),
        tenant=TENANT,
        run=run.token,
        member=1,
        claim_key=claim,
        subject_id="sub_x",
        amount_minor=1,
        policy_version="-",
        requested_on=START,
        created_at=now,
        updated_at=now,
        **({"state": OrderState.QUEUED.value} | values),
    )


def test_rows_due_are_chosen_classed_and_numbered_however_they_are_chunked(books: BatchBooks) -> None:
    for amounts in ((5_000, 60_000), (2_000_000,), (7_000, 8_000, 9_000)):
        books.due(*amounts)
    books.due(4_000, on=START + timedelta(days=1))  # not due yet
    run, same = books.begin(), books.begin()
    members = books.choose(run)
    assert [each.number for each in members] == [1, 2, 3, 4, 5, 6]
    assert {each.state for each in members} == {MemberState.INCLUDED}
    assert sorted(each.amount_minor for each in members) == [5_000, 7_000, 8_000, 9_000, 60_000, 2_000_000]
    big = next(each for each in members if each.amount_minor == 2_000_000)
    assert (big.type_class, big.amount_class, big.cycle_class) == ("fixed-term", "above-1000000", "2026-11")
    assert {each.amount_class for each in members} == {"up-to-10000", "up-to-100000", "above-1000000"}
    assert big.claim_key == f"row/{big.agreement_id}/{big.row_no}"
    books.choose(same, chunk=2)
    frozen, other = books.freeze(run), books.freeze(same)
    assert frozen == other, "the same members, the same hash"
    assert (frozen.members, frozen.excluded, frozen.amount_minor) == (6, 0, 2_089_000)


def test_a_repeated_part_adds_nobody_and_a_frozen_cohort_stays(books: BatchBooks) -> None:
    agreement = books.due(5_000, 6_000)
    run = books.begin()
    before = books.choose(run)
    assert books.choose(run) == before
    frozen = books.freeze(run)
    books.due(7_000)
    assert len(books.choose(run)) == 2
    assert books.freeze(run) == frozen
    events = books.book.all(AuditEvent, col(AuditEvent.action) == "batch.cohort-frozen")
    assert len(events) == 1
    with pytest.raises(DBAPIError, match="frozen"):
        books.change(BatchMember, (books.cohort(run).id, 1), amount_minor=1)
    assert agreement.id in {each.agreement_id for each in books.members(run)}


# long because each reason is one line of a table.
def test_who_is_kept_out_stands_there_with_rule_and_reason(books: BatchBooks) -> None:
    now = books.book.clock()
    good = books.due(5_000)
    revoked = books.due(5_000)
    books.change(Mandate, revoked.mandate_id, revoked_at=now)
    over = books.due(5_000, valid_to=START - timedelta(days=1))
    limited = books.due(5_000, limit_minor=4_999)
    wages = books.due(5_000, account_kind="wage-special")
    none = books.due(5_000, mandate=False)
    default = books.due(5_000)
    books.change(Agreement, default.id, status="defaulted")
    disputed = books.due(5_000)
    books.add(
        Ticket(
            id=new_token("tck"),
            tenant=TENANT,
            case_token=disputed.case_token,
            kind="dispute",
            state="OPEN",
            **{name: value for name, value in _ticket(now).items() if name in Ticket.model_fields},
        )
    )
    daily = books.due(5_000)
    books.add(
        DebitOrder(
            id=new_token("dbo"),
            tenant=TENANT,
            agreement_id=daily.id,
            mandate_id=daily.mandate_id,
            row_no=1,
            attempt=1,
            end_to_end_id="e1",
            amount_minor=5_000,
            requested_on=START,
            state="SENT",
            policy_version="-",
            created_at=now,
            updated_at=now,
        )
    )
    elsewhere = books.due(5_000)
    other = books.begin(KindName.LOAN_DEDUCTION)
    books.add(batch_order(other, f"row/{elsewhere.id}/1", now))
    run = books.begin()
    found = {each.agreement_id: (each.state, each.exclusion, each.rule_id) for each in books.choose(run)}
    out = MemberState.EXCLUDED.value
    assert found == {
        good.id: (MemberState.INCLUDED.value, None, None),
        revoked.id: (out, "mandate-revoked", "DDB-REVOKE"),
        over.id: (out, "mandate-over", "DDB-MATCH"),
        limited.id: (out, "above-limit", "DDB-LIMIT"),
        wages.id: (out, "wage-account", "WAGE-33"),
        none.id: (out, "no-mandate", "CBL-29"),
        default.id: (out, "not-collected", "BATCH-EXCLUDE"),
        disputed.id: (out, "disputed", "BATCH-DISP"),
        daily.id: (out, "order-open", "BATCH-ONCE"),
        elsewhere.id: (out, "order-open", "BATCH-ONCE"),
    }
    frozen = books.freeze(run)
    assert (frozen.members, frozen.excluded, frozen.amount_minor) == (1, 9, 5_000)
    with books.book.database.read() as session:
        seen = preview(session, tenant=TENANT, kind=KindName.AUTO_DEBIT, criteria={}, on=START)
    assert (seen.figures.members, seen.figures.excluded, seen.figures.amount_minor) == (1, 9, 5_000)
    assert seen.exclusions["order-open"] == 2
    assert {each.exclusion for each in seen.sample} == {None, *seen.exclusions}
    assert all(good.id not in each.claim_end and good.subject_id not in each.claim_end for each in seen.sample)


def _ticket(now) -> dict[str, object]:
    return {
        "subject_id": "sub_x",
        "branch": "sh-01",
        "stage": "handling",
        "opened_by": "stf_x",
        "created_by": "stf_x",
        "created_at": now,
        "updated_at": now,
        "opened_at": now,
        "due_at": now,
    }


def test_filters_and_bands_choose_and_class_and_what_is_wrong_is_named(books: BatchBooks) -> None:
    books.due(5_000)
    big = books.due(50_000, profile="sepa")
    criteria = {
        "filter": {"amountMinor": {"$gte": 6_000}, "profile": "sepa", "dueOn": {"$lte": START.isoformat()}},
        "amountBands": [50_000, 60_000],
    }
    run = books.begin(criteria=criteria)
    (member,) = books.choose(run)
    assert (member.agreement_id, member.amount_class) == (big.id, "up-to-50000")
    with books.book.database.read() as session:
        seen = preview(session, tenant=TENANT, kind=KindName.AUTO_DEBIT, criteria=criteria, on=START)
    (only,) = seen.classes
    assert (only.type_class, only.amount_class, only.cycle_class) == ("fixed-term", "up-to-50000", "2026-11")
    assert (only.rows, only.amount_minor) == (1, 50_000)
    with pytest.raises(FormInvalid) as refused:
        books.begin(
            criteria={
                "filter": {"colour": "red", "amountMinor": {"$gte": "6"}},
                "amountBands": [5, 5],
                "period": "2026-13",
                "fee": {},
                "stated": {"parties_screened": "yes", "weather": 1},
                "more": 1,
            }
        )
    assert {(fault.pointer, fault.code) for fault in refused.value.faults} == {
        ("/criteria/more", "unknown-field"),
        ("/criteria/filter/colour", "unknown-field"),
        ("/criteria/filter/amountMinor/$gte", "wrong-type"),
        ("/criteria/amountBands", "pattern"),
        ("/criteria/period", "pattern"),
        ("/criteria/fee", "unknown-field"),
        ("/criteria/stated/weather", "unknown-field"),
        ("/criteria/stated/parties_screened", "wrong-type"),
    }


def test_a_fee_is_collected_once_a_period_from_every_account(books: BatchBooks) -> None:
    first, second = books.due(5_000), books.due(5_000)
    criteria = {"fee": {"code": "annual", "amountMinor": 3_000}, "period": "2026-11"}
    run = books.begin(KindName.FEE_COLLECTION, criteria=criteria)
    members = books.choose(run)
    assert {each.claim_key for each in members} == {f"fee/annual/{each.mandate_id}/2026-11" for each in (first, second)}
    assert {(each.amount_minor, each.type_class, each.cycle_class) for each in members} == {
        (3_000, "annual", "2026-11")
    }
    now = books.book.clock()
    books.add(
        batch_order(
            run,
            f"fee/annual/{first.mandate_id}/2026-11",
            now,
            state=OrderState.SETTLED.value,
            final_state=FinalState.SETTLED.value,
        )
    )
    again = {
        each.mandate_id: each.exclusion
        for each in books.choose(books.begin(KindName.FEE_COLLECTION, criteria=criteria))
    }
    assert again == {first.mandate_id: "paid-already", second.mandate_id: None}
    with pytest.raises(FormInvalid) as refused:
        books.begin(KindName.FEE_COLLECTION)
    assert [fault.pointer for fault in refused.value.faults] == ["/criteria/fee"]


def test_accepted_rows_of_a_file_are_chosen_by_line_and_a_person_is_paid_once(books: BatchBooks) -> None:
    client, account = books.client()
    run = books.begin(KindName.PAYROLL, source=MemberSource.FILE, client=client, funding_account=account)
    assert books.choose(run) == [], "nothing was read yet"
    one, two = b"1" * 32, b"2" * 32
    books.imported(
        run,
        [
            (800_000, RowState.ACCEPTED, one),
            (1, RowState.REJECTED, None),
            (900_000, RowState.ACCEPTED, two),
            (700_000, RowState.ACCEPTED, one),
        ],
    )
    members = books.choose(run, chunk=2)
    assert [(each.import_line, each.amount_minor, each.exclusion) for each in members] == [
        (2, 800_000, None),
        (4, 900_000, None),
        (5, 700_000, "claimed-twice"),
    ]
    assert members[0].claim_key == f"wage/{client}/2026-11/{one.hex()[:32]}"
    assert {each.type_class for each in members} == {"wage"}
    intake = books.begin(KindName.INTAKE, source=MemberSource.FILE)
    taken = books.imported(intake, [(0, RowState.ACCEPTED, None)])
    (member,) = books.choose(intake)
    assert (member.claim_key, member.state, member.type_class) == (f"file/{taken}/2", "included", "application")
    debits = books.begin(source=MemberSource.FILE)
    books.imported(debits, [(1_000, RowState.ACCEPTED, None)])
    (unnamed,) = books.choose(debits)
    assert unnamed.exclusion == "no-mandate", "a row that names no mandate is never debited"


def test_a_paused_run_chooses_nobody(books: BatchBooks) -> None:
    books.due(5_000)
    run = books.begin()
    books.change(BatchRun, run.token, paused_at=books.book.clock())
    done = SqlCohort(books.book.database, books.book.clock).choose_members(PartStep(run=run.token))
    assert (done.paused, done.rows) == (True, 0)
    assert books.members(run) == []
