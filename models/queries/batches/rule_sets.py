"""Reads of rule sets (规则集): a tenant's sets, and the versions of one, newest first."""

from sqlmodel import Session, col, select

from models.tables.batch_rules import BatchRuleSet, BatchRuleVersion


def rule_sets_of(session: Session, tenant: str) -> list[BatchRuleSet]:
    """Every set of a tenant, by name."""
    return list(
        session.exec(select(BatchRuleSet).where(col(BatchRuleSet.tenant) == tenant).order_by(BatchRuleSet.name))
    )


def rule_set_for(session: Session, name: str, *, tenant: str) -> BatchRuleSet | None:
    """The tenant's set of a name."""
    named = select(BatchRuleSet).where(col(BatchRuleSet.tenant) == tenant, col(BatchRuleSet.name) == name)
    return session.exec(named).one_or_none()


def versions_of(session: Session, rule_set: str) -> list[BatchRuleVersion]:
    """Versions, newest first."""
    found = select(BatchRuleVersion).where(col(BatchRuleVersion.rule_set) == rule_set)
    return list(session.exec(found.order_by(col(BatchRuleVersion.number).desc())))
