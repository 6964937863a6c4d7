"""The facts of an internal audit report (内部审计报告) of a transfer job, and their one spelling. Pure.

Counts, codes, hashes, instants and staff ids; nothing of a customer. The same facts give the same bytes: whoever has
the facts can write the report again and compare it. Amounts are minor units, rates are parts per million.
"""

import dataclasses
import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any, Final

FORMAT: Final = "casework-transfer-report/1"


class Severity(StrEnum):
    """How much a finding weighs (审计发现等级). The verdict follows from the heaviest."""

    CRITICAL = "critical"  # 重大: the job did not do what it promised
    MAJOR = "major"  # 较大: something waits, or could not be checked
    MINOR = "minor"  # 一般: to be known; changes no verdict


class Verdict(StrEnum):
    """The auditor's word, by the rule in `models.domain.transfers.report_findings`."""

    PASSED = "passed"  # 通过
    RESERVED = "reserved"  # 有保留
    FAILED = "failed"  # 不通过


class Check(StrEnum):
    """How one check of one sampled row ended."""

    PASS = "pass"  # noqa: S105  no password
    FAIL = "fail"
    UNKNOWN = "unknown"  # what it needs is not there: the record was erased, or the job never came so far


@dataclass(frozen=True, kw_only=True, slots=True)
class Approval:
    """One person's decision on the job. `shown`: the hash of what they saw."""

    company: str  # source | target | house
    task: str
    staff: str | None
    decision: str
    outcome: str
    shown: str | None
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class GateAnswer:
    """The last answer of one rule at one gate."""

    gate: str
    rule: str
    rule_set: str
    result: str
    severity: str
    reason: str
    missing: tuple[str, ...]
    inputs_hash: str
    as_of: date
    at: datetime

    @property
    def stops(self) -> bool:
        """A blocking rule that did not hold, or could not be judged."""
        return self.severity == "BLOCK" and self.result in ("FAIL", "UNKNOWN")


@dataclass(frozen=True, kw_only=True, slots=True)
class BackupFact:
    """One backup, and whether restoring it proved it."""

    side: str
    number: int
    state: str
    records: int | None
    root: str | None
    manifest_hash: str | None
    fault: str | None
    made_at: datetime
    proven_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceFact:
    """One source and where its rows ended. `undecided` rows have no outcome yet."""

    number: int
    kind: str
    read: int
    accepted: int
    rejected: int
    merged: int
    held: int
    undecided: int
    mapping_hash: str
    finished: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Hop:
    """One border that every record crosses: what came in, and where it went (守恒)."""

    name: str
    taken: int
    parts: tuple[tuple[str, int], ...]

    @property
    def holds(self) -> bool:
        """Whether nothing was lost and nothing came from nowhere."""
        return self.taken == sum(count for _, count in self.parts)


@dataclass(frozen=True, kw_only=True, slots=True)
class QualityLine:
    """How often a rule of data quality was broken on a field, when rows were read and at the end."""

    field: str
    rule: str
    before: int
    after: int


@dataclass(frozen=True, kw_only=True, slots=True)
class MatchFact:
    """Pairs by verdict; `audited` automatic merges were looked at again, `wrong` of them taken apart.

    Attributes:
        low_ppm: the interval of the precision of automatic merges (Clopper-Pearson, 95 %), parts per million.
        tokens_left: blocking tokens that still stand; none should when the job is closed.
    """

    auto: int
    review: int
    same: int
    different: int
    unmerged: int
    vetoed: int
    audited: int
    wrong: int
    low_ppm: int
    high_ppm: int
    tokens_left: int


@dataclass(frozen=True, kw_only=True, slots=True)
class WaveFact:
    """One wave as it stands: its last attempt, and the roots of the target's book around it."""

    number: int
    attempt: int
    state: str
    rows: int
    moved: int
    failed: int
    conflicts: int
    rollbacks: int
    root_before: str | None
    root_after: str | None
    root_undone: str | None
    begun_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Reconciled:
    """What the whole job's reconciliation said. `differs`: a code, or None where everything was equal."""

    at: datetime
    event: str
    differs: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class NoticeFact:
    """How the customers were told: states, states by channel, attempts by channel and end, consents."""

    states: tuple[tuple[str, int], ...]
    by_channel: tuple[tuple[str, str, int], ...]
    attempts: tuple[tuple[str, str, int], ...]
    consents: tuple[tuple[str, int], ...]
    without_evidence: int
    without_notice: int  # moved rows that nobody planned a notice for
    moved_without_consent: int


@dataclass(frozen=True, kw_only=True, slots=True)
class FollowUpFact:
    """What came after (回访), by kind. `late`: done, or still open, behind its time."""

    kind: str
    open: int
    done: int
    late: int


@dataclass(frozen=True, kw_only=True, slots=True)
class IncidentFact:
    """A security incident of the receiving institution while the job ran."""

    id: str
    kind: str
    grade: str
    state: str
    discovered_at: datetime
    late_reports: int


@dataclass(frozen=True, kw_only=True, slots=True)
class UndoneFact:
    """A wave that was put back: the book's root before it began and after it was undone (回退证明).

    Attributes:
        differing: records that others have changed since, or that people decided to leave: the event names them.
        proven: every record is as it was, but for those.
    """

    wave: int
    attempt: int
    event: str
    at: datetime
    records: int
    root_before: str
    root: str
    differing: int
    proven: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class DrillFact:
    """An exercise with an injected fault: seconds until work went on, and what was lost (RTO, RPO)."""

    fault: str
    event: str
    at: datetime
    recovered: bool
    rto_ms: int
    rpo_records: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """An audit event of the job: its place in the log, and its leaf. `index` None: not sealed yet."""

    event: str
    action: str
    actor: str
    at: datetime
    index: int | None
    leaf: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Stratum:
    """A part of the rows that is sampled by itself."""

    name: str
    population: int
    size: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ItemCheck:
    """One check of one sampled row; `evidence`: ids of events or journal lines, hashes."""

    code: str
    result: Check
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class SampleItem:
    """One sampled row (by its number in the job; it says nothing of whom it is about)."""

    stratum: str
    row: int
    checks: tuple[ItemCheck, ...]

    @property
    def result(self) -> Check:
        """The worst of its checks."""
        results = {each.result for each in self.checks}
        return next((each for each in (Check.FAIL, Check.UNKNOWN) if each in results), Check.PASS)


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """The sample (抽样): its seed, how large it had to be, and what was found."""

    seed: str
    tolerable_per_mille: int
    risk_per_mille: int
    strata: tuple[Stratum, ...]
    items: tuple[SampleItem, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One finding (审计发现) with what shows it."""

    code: str
    severity: Severity
    count: int
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class CostLine:
    """One line of the working: quantity × unit, divided by `per`, is the amount."""

    code: str
    quantity: int
    unit_minor: int
    per: int
    amount_minor: int


@dataclass(frozen=True, kw_only=True, slots=True)
class CostParameter:
    """A figure that the calculation rests on. `source`: `plan`, or `assumed` where the plan says nothing."""

    code: str
    value: int
    source: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CostFact:
    """Cost, benefit and return (成本效益), with the working shown.

    Attributes:
        by_hand: what the same work would have cost done by hand and on paper.
        actual: what it did cost.
        roi_bp: (by hand − actual) ÷ actual, in basis points; None where nothing was spent.
        sheets_saved: sheets of A4; `grams_saved` at 80 g/m², 5 g each.
    """

    currency: str
    parameters: tuple[CostParameter, ...]
    by_hand: tuple[CostLine, ...]
    actual: tuple[CostLine, ...]
    by_hand_minor: int
    actual_minor: int
    benefit_minor: int
    roi_bp: int | None
    sheets_saved: int
    grams_saved: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportFacts:
    """Everything that a report says. `findings` and `verdict` follow from the rest."""

    job: str
    number: int
    tenant: str
    source_tenant: str | None
    classes: tuple[str, ...]
    plan_hash: str
    stage: str
    outcome: str | None
    created_by: str
    created_at: datetime
    gathered_at: datetime
    approvals: tuple[Approval, ...]
    gates: tuple[GateAnswer, ...]
    backups: tuple[BackupFact, ...]
    sources: tuple[SourceFact, ...]
    hops: tuple[Hop, ...]
    quality: tuple[QualityLine, ...]
    matching: MatchFact
    waves: tuple[WaveFact, ...]
    reconciled: Reconciled | None
    conflicts_open: int
    changes: int
    changes_undone: int
    notices: NoticeFact
    follow_ups: tuple[FollowUpFact, ...]
    incidents: tuple[IncidentFact, ...]
    drills: tuple[DrillFact, ...]
    evidence: tuple[Evidence, ...]
    sample: Sample
    costs: CostFact
    findings: tuple[Finding, ...] = ()
    verdict: Verdict = Verdict.RESERVED
    undone: tuple[UndoneFact, ...] = ()
    held: int = 0
    open_tasks: int = field(default=0)


def report_record(facts: ReportFacts) -> dict[str, Any]:
    """The report as values of JSON, names in camelCase, instants in UTC."""
    return {"format": FORMAT, **_plain(facts)}


def canonical_report(facts: ReportFacts) -> bytes:
    """The report's one spelling: sorted keys, no spaces, UTF-8. What is hashed, sealed and checked by others."""
    return canonical(report_record(facts))


def canonical(value: Any) -> bytes:
    """JSON with one spelling."""
    spelled = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return spelled.encode()


def camel(name: str) -> str:
    """`low_ppm` is `lowPpm`."""
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        record = {camel(each.name): _plain(getattr(value, each.name)) for each in dataclasses.fields(value)}
        for name in ("holds", "result"):  # what follows from the rest is said too: readers should not have to work
            if name not in record and isinstance(getattr(type(value), name, None), property):
                record[name] = _plain(getattr(value, name))
        return record
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    return value
