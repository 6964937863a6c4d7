"""Reads for a re-evaluation: the open cases, the answers on record, and what a pass found."""

from collections.abc import Sequence

from sqlmodel import Session, col, func, select

from models.domain.rule_desk import PassState
from models.tables.installments import InstallmentCase, RuleVerdict
from models.tables.rule_desk import RuleFlip, RuleReevaluation


def open_case_tokens(session: Session, tenant: str, *, after: str, limit: int) -> list[str]:
    """Cases without an outcome, by token."""
    return list(
        session.exec(
            select(InstallmentCase.token)
            .where(
                col(InstallmentCase.tenant) == tenant,
                col(InstallmentCase.outcome).is_(None),
                col(InstallmentCase.token) > after,
            )
            .order_by(col(InstallmentCase.token))
            .limit(limit)
        ).all()
    )


def count_open_cases(session: Session, tenant: str) -> int:
    """How many cases have no outcome."""
    return session.exec(
        select(func.count())
        .select_from(InstallmentCase)
        .where(col(InstallmentCase.tenant) == tenant, col(InstallmentCase.outcome).is_(None))
    ).one()


def answers_on_record(session: Session, case_token: str, *, gates: Sequence[str]) -> dict[str, list[RuleVerdict]]:
    """By gate, what its rules said when they were asked last."""
    found = session.exec(
        select(RuleVerdict)
        .where(col(RuleVerdict.case_token) == case_token, col(RuleVerdict.gate).in_(gates))
        .order_by(col(RuleVerdict.evaluated_at), col(RuleVerdict.gate_key))
    ).all()
    last = {verdict.gate: verdict.gate_key for verdict in found}
    answers: dict[str, list[RuleVerdict]] = {}
    for verdict in found:
        if verdict.gate_key == last[verdict.gate]:
            answers.setdefault(verdict.gate, []).append(verdict)
    return answers


def running_passes(session: Session) -> list[str]:
    """Passes that are not over, oldest first."""
    return list(
        session.exec(
            select(RuleReevaluation.id)
            .where(col(RuleReevaluation.state) == PassState.RUNNING.value)
            .order_by(col(RuleReevaluation.created_at), col(RuleReevaluation.id))
        ).all()
    )


def list_passes(session: Session, tenant: str, *, limit: int) -> list[RuleReevaluation]:
    """The newest passes first."""
    return list(
        session.exec(
            select(RuleReevaluation)
            .where(col(RuleReevaluation.tenant) == tenant)
            .order_by(col(RuleReevaluation.created_at).desc(), col(RuleReevaluation.id).desc())
            .limit(limit)
        ).all()
    )


def list_flips(session: Session, pass_id: str, *, after: tuple[str, str, str] | None, limit: int) -> list[RuleFlip]:
    """What a pass found, by case, gate and rule."""
    query = select(RuleFlip).where(col(RuleFlip.reevaluation_id) == pass_id)
    if after is not None:
        case, gate, rule = after
        same_case, same_gate = col(RuleFlip.case_token) == case, col(RuleFlip.gate) == gate
        query = query.where(
            (col(RuleFlip.case_token) > case)
            | (same_case & (col(RuleFlip.gate) > gate))
            | (same_case & same_gate & (col(RuleFlip.rule_id) > rule))
        )
    order = (col(RuleFlip.case_token), col(RuleFlip.gate), col(RuleFlip.rule_id))
    return list(session.exec(query.order_by(*order).limit(limit)).all())
