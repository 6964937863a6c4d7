"""All facts of one report, gathered from one read of the records; the sample is opened and checked on the way."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlmodel import Session

from activities.transfers.report_checks import Auditor
from compliance.vault.keyring import Vault
from models.domain.transfers.report import ReportFacts, Sample, SampleItem, Stratum
from models.domain.transfers.report_costs import Volumes, cost_of
from models.domain.transfers.report_findings import conclude
from models.domain.transfers.report_sample import RISK_PER_MILLE, TOLERABLE_PER_MILLE, draw_sample, sample_size
from models.domain.transfers.states import NoticeState
from models.queries.transfers import report_facts as queries
from models.queries.transfers.report_events import (
    Logged,
    drills_in,
    events_of,
    evidence_of,
    reconciled_in,
    undone_in,
)
from models.queries.transfers.report_notices import notices_of
from models.queries.transfers.report_rows import STRATA, rows_of_stratum, sampled_rows
from models.tables.transfers import TransferJob

_PAPER: str = "post"


@dataclass(frozen=True, kw_only=True, slots=True)
class Gathering:
    """What gathering needs beside the records."""

    vault: Vault
    public_key: Ed25519PublicKey
    now: datetime


def gather(session: Session, job: TransferJob, *, number: int, seed: str, given: Gathering) -> ReportFacts:
    """The facts with findings and verdict. Call it inside one snapshot: figures of two moments would not add up."""
    events = events_of(session, job.token)
    sources = queries.sources_of(session, job.token)
    changes, undone, conflicts = queries.change_counts(session, job.token)
    notices = notices_of(session, job)
    waves = queries.waves_of(session, job.token)
    backups = queries.backups_of(session, job.token)
    spans = [(each.begun_at, each.ended_at) for each in waves] + [(each.made_at, each.proven_at) for each in backups]
    letters = sum(count for channel, _, count in notices.attempts if channel == _PAPER)
    volumes = Volumes(
        records=sum(each.read for each in sources),
        decisions=queries.decisions_count(session, job.token),
        machine_seconds=sum(_seconds(begin, end) for begin, end in spans),
        told=max(0, sum(count for state, count in notices.states if state != NoticeState.EXEMPT) - letters),
        letters=letters,
    )
    cost = job.plan.get("cost", {})
    facts = ReportFacts(
        job=job.token,
        number=number,
        tenant=job.tenant,
        source_tenant=job.source_tenant,
        classes=tuple(job.classes),
        plan_hash=job.plan_hash,
        stage=job.stage,
        outcome=job.outcome,
        created_by=job.created_by,
        created_at=job.created_at,
        gathered_at=given.now,
        approvals=queries.approvals_of(session, job),
        gates=queries.gates_of(session, job.token),
        backups=backups,
        sources=sources,
        hops=queries.hops_of(session, job.token, sources),
        quality=queries.quality_of(session, job),
        matching=queries.matching_of(session, job.token),
        waves=waves,
        reconciled=reconciled_in(events),
        conflicts_open=conflicts,
        changes=changes,
        changes_undone=undone,
        notices=notices,
        follow_ups=queries.follow_ups_of(session, job.token, now=given.now),
        incidents=queries.incidents_of(session, job),
        drills=drills_in(events),
        evidence=evidence_of(events),
        sample=_sample(session, job, seed=seed, events=events, given=given),
        costs=cost_of(volumes, cost if isinstance(cost, dict) else {}),
        undone=undone_in(events),
        held=sum(each.held for each in sources),
        open_tasks=queries.open_tasks(session, job.token),
    )
    return conclude(facts)


def _sample(session: Session, job: TransferJob, *, seed: str, events: Sequence[Logged], given: Gathering) -> Sample:
    auditor = Auditor(
        session=session,
        vault=given.vault,
        tenant=job.tenant,
        job=job.token,
        events=events,
        public_key=given.public_key,
    )
    strata, items = [], list[SampleItem]()
    for name in STRATA:
        population = list(rows_of_stratum(session, job.token, name))
        size = sample_size(len(population))
        strata.append(Stratum(name=name, population=len(population), size=size))
        drawn = draw_sample(seed, job.token, name, population, size)
        items += [auditor.look_at(each) for each in sampled_rows(session, job.token, drawn)]
    return Sample(
        seed=seed,
        tolerable_per_mille=TOLERABLE_PER_MILLE,
        risk_per_mille=RISK_PER_MILLE,
        strata=tuple(strata),
        items=tuple(items),
    )


def without_time(facts: ReportFacts) -> ReportFacts:
    """The facts without what differs between two readings of the same state: equal ones need no second report."""
    return dataclasses.replace(facts, gathered_at=facts.created_at)


def _seconds(begin: datetime | None, end: datetime | None) -> int:
    if begin is None or end is None or end < begin:
        return 0
    return int((end - begin).total_seconds())
