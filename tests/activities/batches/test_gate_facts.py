"""The gates of a run over its records: open with what they ask for, shut by one thing put wrong. On both databases."""

from collections.abc import Collection
from datetime import date, timedelta
from typing import Any

import pytest

from compliance.policy import ask_gate
from compliance.rules.evaluate import blocks
from models.domain.batches.kinds import KindName, MemberSource
from models.domain.batches.states import FinalState, OrderState, RowState, RuleSetState
from models.domain.notices import NoticeState
from models.domain.shanghai import shanghai_date
from models.domain.states import Gate
from models.domain.tokens import new_token
from models.queries.batches.facts import batch_facts
from models.tables.agreements import Agreement, Mandate
from models.tables.assessments import ImpactAssessment
from models.tables.batch_rules import BatchRuleSet, BatchRuleVersion
from models.tables.batch_runs import BatchChunk, BatchOrder, BatchRun
from models.tables.notices import Notice
from tests.support.batch_books import STATED, BatchBooks
from tests.support.daybook import START, TENANT


def shut_by(books: BatchBooks, run: BatchRun, gate: Gate) -> set[str]:
    """Which rules keep a gate shut."""
    now = books.book.clock()
    with books.book.database.read() as session:
        facts = batch_facts(session, gate=gate, run=session.get_one(BatchRun, run.token), now=now)
        verdicts = ask_gate(session, TENANT, gate, facts, as_of=shanghai_date(now))
        return {each.rule_id for each in verdicts if blocks(result=each.result, severity=each.severity)}


def without(*names: str) -> dict[str, Any]:
    return {"stated": {name: value for name, value in STATED.items() if name not in names}}


def test_the_gate_of_a_cohort_counts_who_should_not_be_in_and_asks_for_ground_and_screening(books: BatchBooks) -> None:
    books.assessed()
    revoked, paid, disputed = books.due(5_000), books.due(5_000), books.due(5_000)
    run = books.begin()
    assert "BATCH-EXCLUDE" in shut_by(books, run, Gate.BATCH_COHORT), "nothing was chosen: nobody knows"
    books.choose(run)
    assert shut_by(books, run, Gate.BATCH_COHORT) == set()
    for spoil in (
        lambda: books.change(Mandate, revoked.mandate_id, revoked_at=books.book.clock()),
        lambda: books.change(Agreement, paid.id, status="settled"),
    ):
        spoil()
        assert shut_by(books, run, Gate.BATCH_COHORT) == {"BATCH-EXCLUDE"}
    del disputed
    unscreened = books.begin(criteria=without("parties_screened"))
    books.choose(unscreened)
    assert shut_by(books, unscreened, Gate.BATCH_COHORT) == {"AML-40"}
    listed = books.begin(criteria={"stated": STATED | {"listed_parties": 1}})
    books.choose(listed)
    assert shut_by(books, listed, Gate.BATCH_COHORT) == {"AML-40"}
    (assessment,) = books.book.all(ImpactAssessment)
    books.change(ImpactAssessment, assessment.id, approved_at=books.book.clock() + timedelta(days=1))
    assert "PIPL-55" in shut_by(books, listed, Gate.BATCH_COHORT), "it was approved after the processing began"


def test_wages_need_an_agreement_with_the_employer_that_is_in_force(books: BatchBooks) -> None:
    books.assessed()
    for to, rules in ((None, set()), (START - timedelta(days=1), {"PIPL-13"})):
        client, account = books.client(to=to)
        run = books.begin(KindName.PAYROLL, source=MemberSource.FILE, client=client, funding_account=account)
        books.imported(run, [(800_000, RowState.ACCEPTED, str(to).encode().ljust(32))])
        books.choose(run)
        assert shut_by(books, run, Gate.BATCH_COHORT) == rules


def version(books: BatchBooks, run: BatchRun, **values: Any) -> None:
    """Bind the run to a version of a rule set of its own."""
    now, rule_set = books.book.clock(), new_token("brs")
    rule = {"id": "r1", "source": "民法典", "validFrom": "2021-01-01", "threshold": 1, "operator": "at-least"}
    given: dict[str, Any] = {
        "body": {"rules": [rule | values.pop("rule", {})]},
        "valid_from": date(2026, 1, 1),
        "state": RuleSetState.APPROVED.value,
        "decided_by_person": "prs_checker",
    }
    books.add(
        BatchRuleSet(id=rule_set, tenant=TENANT, name=rule_set[-20:], kind=run.kind, created_at=now),
        BatchRuleVersion(
            rule_set=rule_set,
            number=1,
            tenant=TENANT,
            body_hash=rule_set,
            made_by="stf_x",
            made_by_person="prs_maker",
            created_at=now,
            **(given | values),
        ),
    )
    books.change(BatchRun, run.token, rule_version=f"{rule_set}/1")


@pytest.mark.parametrize(
    ("values", "rules"),
    [
        ({}, set()),
        ({"rule": {"source": ""}}, {"BATCH-RULES"}),
        ({"rule": {"operator": None}}, {"CONV-1"}),
        ({"rule": {"validFrom": None}}, {"CONV-2"}),
        ({"rule": {"onUnknown": "pass"}}, {"CONV-4"}),
        ({"valid_from": START + timedelta(days=1)}, {"CONV-2"}),
        ({"decided_by_person": "prs_maker"}, {"BATCH-RULES"}),
        ({"state": RuleSetState.PROPOSED.value, "decided_by_person": None}, {"BATCH-RULES"}),
    ],
)
def test_a_rule_set_has_sources_dates_operators_and_two_persons(
    values: dict[str, Any], rules: Collection[str], books: BatchBooks
) -> None:
    run = books.begin()
    assert "BATCH-RULES" in shut_by(books, run, Gate.BATCH_RULE_SET)
    version(books, run, **values)
    assert shut_by(books, run, Gate.BATCH_RULE_SET) == rules


def test_a_file_leaves_once_recipient_and_channel_are_in_order(books: BatchBooks) -> None:
    assert shut_by(books, books.begin(), Gate.BATCH_EXPORT) == set()
    for fact, rule in (
        ("recipient_contract", "NDSR-12"),
        ("channel_encrypted", "JRT171-TRANS"),
        ("backup_encrypted", "JRT171-STORE"),
    ):
        assert shut_by(books, books.begin(criteria=without(fact)), Gate.BATCH_EXPORT) == {rule}


def test_after_the_run_every_row_has_its_end_sums_agree_and_everybody_was_told(books: BatchBooks) -> None:
    books.due(5_000)
    run, now = books.begin(), books.book.clock()
    (member,) = books.choose(run)
    order = BatchOrder(
        id=new_token("bor"),
        tenant=TENANT,
        run=run.token,
        member=member.number,
        claim_key=member.claim_key,
        subject_id=member.subject_id,
        amount_minor=5_000,
        state=OrderState.SETTLED.value,
        policy_version="-",
        requested_on=START,
        created_at=now,
        updated_at=now,
    )
    chunk = BatchChunk(
        run=run.token, number=1, tenant=TENANT, first_member=1, last_member=1, state="done", amount_minor=5_000
    )
    books.add(order, chunk)
    assert "BATCH-OUTCOME" in shut_by(books, run, Gate.BATCH_AFTER_RUN)
    books.change(BatchOrder, order.id, final_state=FinalState.SETTLED.value)
    assert shut_by(books, run, Gate.BATCH_AFTER_RUN) == {"DDB-REVOKE-NOTICE"}
    books.add(told(books, order))
    assert shut_by(books, run, Gate.BATCH_AFTER_RUN) == set()
    stated = run.criteria | {"stated": STATED | {"statement_issued": True, "card_number_masked": True}}
    books.change(BatchRun, run.token, criteria=stated)
    assert shut_by(books, run, Gate.BATCH_AFTER_RUN) == {"CCM-61"}, "a statement of which nobody says what it shows"
    books.change(BatchRun, run.token, criteria=run.criteria)
    books.change(BatchChunk, (run.token, 1), amount_minor=4_999)
    assert shut_by(books, run, Gate.BATCH_AFTER_RUN) == {"BATCH-SUM"}


def told(books: BatchBooks, order: BatchOrder) -> Notice:
    now = books.book.clock()
    return Notice(
        id=new_token("ntc"),
        tenant=TENANT,
        subject_id=order.subject_id,
        business_key=f"paid/{order.id}",
        kind="paid",
        channel="sms",
        locale="zh-CN",
        template_version="-",
        params={},
        state=NoticeState.SENT,
        send_after=now,
        expires_at=now,
        created_at=now,
        sent_at=now,
    )
