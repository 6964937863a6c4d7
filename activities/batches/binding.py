"""Binding a run to the version of a rule set (规则集) that is in force on its business date; once bound it stays."""

from datetime import datetime

from sqlmodel import Session, col, or_, select

from activities.batches.policies import lacking
from models.contracts.batch_steps import RulesBound
from models.domain.batches.kinds import BY_DAILY_RUN, MemberSource
from models.domain.batches.states import RuleSetState
from models.tables.batch_rules import BatchRuleSet, BatchRuleVersion
from models.tables.batch_runs import BatchRun


def bind(session: Session, run: BatchRun, *, now: datetime) -> RulesBound:
    """Bind the run, which the caller holds; what keeps it from being bound is told by a code, and nothing is written.

    Args:
        session: of the unit of work.
        run: of which nobody else writes now.
        now: when.
    """
    # Installment money belongs in the ledger of its agreement, and a batch keeps books of its own: rather than booked
    # there twice or not at all, such rows are left to the daily run. Before any order, and so before any money.
    if run.source == MemberSource.BOOK and run.kind in BY_DAILY_RUN:
        return RulesBound(version="", lacks=("agreement-rows-by-daily-run",))
    if run.rule_version:
        return RulesBound(version=run.rule_version)
    found = session.exec(
        select(BatchRuleVersion, BatchRuleSet)
        .join(BatchRuleSet, col(BatchRuleSet.id) == col(BatchRuleVersion.rule_set))
        .where(
            col(BatchRuleVersion.tenant) == run.tenant,
            col(BatchRuleSet.kind) == run.kind,
            col(BatchRuleVersion.state) == RuleSetState.APPROVED.value,
            col(BatchRuleVersion.valid_from) <= run.business_date,
            or_(col(BatchRuleVersion.valid_to).is_(None), col(BatchRuleVersion.valid_to) >= run.business_date),
            *(
                [or_(col(BatchRuleSet.id) == run.rule_set, col(BatchRuleSet.name) == run.rule_set)]
                if run.rule_set
                else []
            ),
        )
        .order_by(
            col(BatchRuleVersion.valid_from).desc(),
            col(BatchRuleVersion.number).desc(),
            col(BatchRuleVersion.rule_set),
        )
    ).first()
    if found is None:
        return RulesBound(version="", lacks=("rule-set-missing",))
    version, named = found
    unsupported = lacking(version.body.get("retry"))
    if unsupported is not None:
        return RulesBound(version="", lacks=(unsupported,))
    run.rule_version, run.version, run.updated_at = f"{named.name}/{version.number}", run.version + 1, now
    return RulesBound(version=run.rule_version)
