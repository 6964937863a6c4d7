"""Orders are bound to the retry policy of the rule set's version, and read it back as it was approved."""

from datetime import time

from activities.batches.policies import bound_policy, lacking, policy_of
from models.domain.batches.kinds import KindName
from models.domain.batches.retrying.policy import DEFAULT_POLICY, Parts, ReasonRule
from models.domain.batches.retrying.reasons import Reason
from models.domain.servicing.retry_policy import RetryAction
from models.tables.batch_rules import BatchRuleSet, BatchRuleVersion
from models.tables.batch_runs import BatchOrder
from tests.support.batch_books import BatchBooks
from tests.support.daybook import START, TENANT

PATIENT = ReasonRule(action=RetryAction.RETRY, after_days=(4,))


def test_the_policy_of_the_bound_version_decides_when_an_order_is_tried_again(books: BatchBooks) -> None:
    policy = DEFAULT_POLICY.model_copy(
        update={"version": "patient", "reasons": {Reason.INSUFFICIENT_FUNDS: PATIENT}, "codes": {}}
    )
    now = books.book.clock()
    books.add(
        BatchRuleSet(id="brs_patient", tenant=TENANT, name="patient", kind=KindName.AUTO_DEBIT.value, created_at=now),
        BatchRuleVersion(
            rule_set="brs_patient",
            number=1,
            tenant=TENANT,
            body={"repayment": [], "retry": policy.as_record()},
            body_hash="0" * 64,
            valid_from=START,
            state="approved",
            made_by="stf_maker",
            made_by_person="prs_maker",
            created_at=now,
        ),
    )
    run = books.begin()
    with books.book.database.read() as session:
        run.rule_version = "patient/1"
        bound = bound_policy(session, run)
    kept = policy_of(BatchOrder(policy_version=bound.version, policy=dict(bound.body)))
    assert (kept, kept.hash, bound.body["hash"]) == (policy, policy.hash, policy.hash)
    assert kept.rule_for("AM04", Reason.INSUFFICIENT_FUNDS) == PATIENT
    whole = policy.model_copy(update={"minimum_gap_days": 2, "cut_off": time(9), "payday_before_holiday": True})
    assert lacking(whole.as_record()) is None
    parts = Parts(from_attempt=2, share_bps=5_000, least_minor=1, rest_after_days=1)
    assert lacking(policy.model_copy(update={"parts": parts}).as_record()) == "retry-policy-unsupported"
