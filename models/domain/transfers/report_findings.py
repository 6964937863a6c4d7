"""From facts to findings to the verdict (审计结论), by a stated rule. Pure.

The rule: a critical finding fails the job (不通过); without one, a major finding reserves the verdict (有保留); else it
passes (通过). Minor findings are told and change nothing. Nobody can set a verdict by hand.
"""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Final

from models.domain.transfers.report import (
    Check,
    Finding,
    ReportFacts,
    Severity,
    Verdict,
)
from models.domain.transfers.states import (
    TOLD,
    BackupState,
    JobOutcome,
    NoticeState,
    Side,
    WaveState,
)

_MOST_EVIDENCE: Final = 20  # a finding names so many places; the count says how many there are
_SETTLED_WAVES: Final = frozenset({WaveState.MOVED, WaveState.UNDONE})
# Decisions that stand for a company's word on the plan.
_APPROVED: Final = frozenset({"approve", "approved"})

Found = Iterator[Finding]


def conclude(facts: ReportFacts) -> ReportFacts:
    """The facts with their findings, the heaviest first, and the verdict."""
    found = sorted(
        (finding for look in _LOOKS for finding in look(facts)),
        key=lambda each: (list(Severity).index(each.severity), each.code),
    )
    return dataclasses.replace(facts, findings=tuple(found), verdict=verdict_of(tuple(found)))


def verdict_of(findings: tuple[Finding, ...]) -> Verdict:
    """The stated rule."""
    weights = {each.severity for each in findings}
    if Severity.CRITICAL in weights:
        return Verdict.FAILED
    return Verdict.RESERVED if Severity.MAJOR in weights else Verdict.PASSED


def _finding(code: str, severity: Severity, count: int, *evidence: str | None) -> Found:
    if count > 0:
        named = tuple(each for each in evidence if each)[:_MOST_EVIDENCE]
        yield Finding(code=code, severity=severity, count=count, evidence=named)


def _approvals(facts: ReportFacts) -> Found:
    """Both companies saw and approved this plan and no other."""
    agreed = [each for each in facts.approvals if each.outcome in _APPROVED]
    wanted = {Side.TARGET.value} | ({Side.SOURCE.value} if facts.source_tenant is not None else set())
    missing = sorted(wanted - {each.company for each in agreed})
    yield from _finding("approval-missing", Severity.CRITICAL, len(missing), *missing)
    alone = {each.staff for each in agreed} if len(agreed) > 1 else {None, facts.created_by}
    yield from _finding("approved-by-one", Severity.CRITICAL, int(len(alone) == 1), *[each.decision for each in agreed])


def _gates(facts: ReportFacts) -> Found:
    stops = [each for each in facts.gates if each.stops]
    yield from _finding("gate-stops", Severity.CRITICAL, len(stops), *[f"{each.gate}/{each.rule}" for each in stops])
    warns = [each for each in facts.gates if not each.stops and each.result in ("FAIL", "UNKNOWN")]
    yield from _finding("gate-warns", Severity.MINOR, len(warns), *[f"{each.gate}/{each.rule}" for each in warns])
    yield from _finding("gates-missing", Severity.MAJOR, int(not facts.gates))


def _backups(facts: ReportFacts) -> Found:
    newest = {each.side: each for each in sorted(facts.backups, key=lambda each: each.number)}
    wanted = {Side.TARGET.value} | ({Side.SOURCE.value} if facts.source_tenant is not None else set())
    bad = [side for side in sorted(wanted) if side not in newest or newest[side].state != BackupState.PROVEN]
    yield from _finding("backup-not-proven", Severity.CRITICAL, len(bad), *bad)
    begun = [each.begun_at for each in facts.waves if each.begun_at is not None]
    late = [
        side
        for side, each in sorted(newest.items())
        if begun and (each.proven_at is None or each.proven_at > min(begun))
    ]
    yield from _finding("moved-before-backup", Severity.CRITICAL, len(late), *late)


def _conservation(facts: ReportFacts) -> Found:
    broken = [each.name for each in facts.hops if not each.holds]
    yield from _finding("not-conserved", Severity.CRITICAL, len(broken), *broken)
    undecided = sum(each.undecided for each in facts.sources)
    yield from _finding("rows-undecided", Severity.MAJOR, undecided)
    yield from _finding("rows-held", Severity.MAJOR, facts.held)
    unfinished = [f"source:{each.number}" for each in facts.sources if not each.finished]
    yield from _finding("source-unfinished", Severity.MAJOR, len(unfinished), *unfinished)


def _waves(facts: ReportFacts) -> Found:
    differs = [
        f"wave:{each.number}"
        for each in facts.waves
        if each.state == WaveState.UNDONE and each.root_undone != each.root_before
    ]
    differs += [f"wave:{each.wave}/{each.attempt}" for each in facts.undone if not each.proven]
    yield from _finding("root-differs", Severity.CRITICAL, len(differs), *differs)
    unsettled = [f"wave:{each.number}" for each in facts.waves if each.state not in _SETTLED_WAVES]
    yield from _finding("wave-unsettled", Severity.MAJOR, len(unsettled), *unsettled)
    if facts.outcome != JobOutcome.ROLLED_BACK:
        undone = [f"wave:{each.number}" for each in facts.waves if each.state == WaveState.UNDONE]
        yield from _finding("wave-undone", Severity.MAJOR, len(undone), *undone)
    again = [f"wave:{each.number}" for each in facts.waves if each.rollbacks and each.state == WaveState.MOVED]
    yield from _finding("wave-rolled-back", Severity.MINOR, len(again), *again)
    yield from _finding("conflicts-open", Severity.MAJOR, facts.conflicts_open)
    if facts.reconciled is None:
        yield from _finding("not-reconciled", Severity.MAJOR, int(bool(facts.waves)))
    else:
        differs_by = facts.reconciled.differs
        yield from _finding(
            "reconciliation-differs", Severity.CRITICAL, int(differs_by is not None), differs_by, facts.reconciled.event
        )


def _matching(facts: ReportFacts) -> Found:
    yield from _finding("pairs-open", Severity.MAJOR, facts.matching.review)
    yield from _finding("merge-wrong", Severity.MAJOR, facts.matching.wrong)
    yield from _finding("linkage-kept", Severity.MINOR, facts.matching.tokens_left)


def _notices(facts: ReportFacts) -> Found:
    told = {state.value for state in TOLD}
    untold = sum(count for state, count in facts.notices.states if state not in told)
    yield from _finding("customer-untold", Severity.CRITICAL, untold + facts.notices.without_notice)
    yield from _finding("notice-without-evidence", Severity.MAJOR, facts.notices.without_evidence)
    yield from _finding("moved-without-consent", Severity.CRITICAL, facts.notices.moved_without_consent)
    objections = sum(count for state, count in facts.notices.states if state == NoticeState.OBJECTION)
    yield from _finding("objections", Severity.MINOR, objections)


def _after(facts: ReportFacts) -> Found:
    yield from _finding("follow-ups-open", Severity.MAJOR, sum(each.open for each in facts.follow_ups))
    yield from _finding("follow-ups-late", Severity.MINOR, sum(each.late for each in facts.follow_ups))
    yield from _finding("tasks-open", Severity.MAJOR, facts.open_tasks)
    still = [each.id for each in facts.incidents if each.state != "CLOSED"]
    yield from _finding("incident-open", Severity.MAJOR, len(still), *still)
    late = [each.id for each in facts.incidents if each.late_reports]
    yield from _finding("incident-reported-late", Severity.MAJOR, len(late), *late)
    unproven = [each.event for each in facts.drills if not each.recovered]
    yield from _finding("drill-not-recovered", Severity.MAJOR, len(unproven), *unproven)
    yield from _finding("drill-missing", Severity.MINOR, int(not facts.drills))


def _sampled(facts: ReportFacts) -> Found:
    for result, code, severity in (
        (Check.FAIL, "sample-failed", Severity.CRITICAL),
        (Check.UNKNOWN, "sample-unproven", Severity.MAJOR),
    ):
        items = [each for each in facts.sample.items if each.result == result]
        yield from _finding(code, severity, len(items), *[f"row:{each.row}" for each in items])
    unsealed = [each.event for each in facts.evidence if each.index is None]
    yield from _finding("event-unsealed", Severity.MINOR, len(unsealed), *unsealed)


_LOOKS: Final[tuple[Callable[[ReportFacts], Found], ...]] = (
    _approvals,
    _gates,
    _backups,
    _conservation,
    _waves,
    _matching,
    _notices,
    _after,
    _sampled,
)
