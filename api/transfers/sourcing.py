"""Sources of a job: looked at, suggested a mapping for, previewed, registered. Blocking."""

from collections import Counter
from collections.abc import Sequence

from api.deps import ApiDeps
from api.identity.principal import Principal
from api.transfers.lookup import job_to_open, read_job
from api.transfers.readings import note_preview_shown
from api.transfers.row_bodies import (
    PreviewAnswer,
    PreviewBody,
    PreviewRow,
    RuleCount,
    SourcePlace,
    SuggestionAnswer,
    SuggestionsAnswer,
)
from api.transfers.row_views import fault_answers
from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from compliance.vault.record_masking import mask_record
from models.domain.canonical import digest
from models.domain.customers.faults import Fault, severity_of
from models.domain.customers.record import REQUIRED_FIELDS
from models.domain.customers.validity import check_record
from models.domain.shanghai import shanghai_date
from models.domain.tokens import new_token
from models.domain.transfers.mapping import IDENTITY, TransferMapping, parse_mapping
from models.domain.transfers.row_mapper import compile_mapping
from models.domain.transfers.scope import faults_within, scope_of, within
from models.domain.transfers.source_desk import Look, SourceDesk, SourceKind, SourceRef
from models.domain.transfers.states import JobStage
from models.domain.transfers.suggesting import as_toml, suggest
from models.domain.transfers.verdicts import outcome_of
from models.errors import FieldFault, FormInvalid, WrongState
from models.operations.idempotency import KeySlot, open_key
from models.operations.transfers.rows import hold_job
from models.queries.products import masks_of
from models.queries.transfers.sources import sources_of
from models.tables.transfers import TransferJob, TransferSource
from models.texts.render import render

_SAMPLE = 200
# Until collecting has begun to end, sources may come; afterwards the counts stand.
OPEN_STAGES = frozenset(
    {JobStage.CLASSIFYING, JobStage.PLANNING, JobStage.APPROVING, JobStage.BACKING_UP, JobStage.COLLECTING}
)


def suggestions(deps: ApiDeps, principal: Principal, token: str, body: SourcePlace) -> SuggestionsAnswer:
    """A draft of a mapping from the names of the columns and from what the first rows look like.

    Raises:
        TrainingMissing: the caller has not passed the job's course; no row is looked at.
    """
    job = job_to_open(deps, principal, token)
    reading = _reading(body)
    look = _look(deps, job, body, reading, most=_SAMPLE)
    found = suggest(look.header, [row.cells for row in look.rows if row.cells], today=shanghai_date(deps.clock()))
    return SuggestionsAnswer(
        columns=list(look.header),
        encoding=look.encoding,
        delimiter=look.delimiter,
        fields=[
            SuggestionAnswer(
                field=each.field,
                column=each.column,
                constant=each.constant,
                confidence=each.confidence,
                by=list(each.by),
            )
            for each in found
        ],
        missing=sorted(REQUIRED_FIELDS - {each.field for each in found}),
        mapping=as_toml(found, reading),
    )


def preview(deps: ApiDeps, principal: Principal, token: str, body: PreviewBody, *, locale: str) -> PreviewAnswer:
    """What would come in: the first rows masked, and how often each rule is broken in the sample.

    Nothing is kept but who was shown it.

    Raises:
        TrainingMissing: as `suggestions`.
    """
    job = job_to_open(deps, principal, token)
    mapping = mapping_of(body)
    look = _look(deps, job, body, mapping, most=max(body.rows, body.sample))
    mapper = compile_mapping(mapping, look.header)
    with deps.database.read() as session:
        masks = masks_of(session, principal.tenant)
    today, outcomes, rules = shanghai_date(deps.clock()), Counter[str](), Counter[Fault]()
    fields_moved, left_out = scope_of(job.plan), Counter[str]()
    shown: list[PreviewRow] = []
    for row in look.rows:
        values, read = mapper(row)
        values, faults = check_record(within(values, fields_moved, left_out), today=today, as_read=read)
        faults = faults_within(faults, fields_moved)
        outcome, _ = outcome_of(faults, mapping.severity)
        outcomes[outcome.value] += 1
        rules.update(faults)
        if len(shown) < body.rows:
            shown.append(
                PreviewRow(
                    line=row.line,
                    values=mask_record(values, faulty={fault.field for fault in faults}, masks=masks),
                    faults=fault_answers(faults, locale=locale, stricter=mapping.severity),
                    outcome=outcome.value,
                )
            )
    fields = {name for row in shown for name in row.values}
    note_preview_shown(deps, principal, job.token, body.kind, [row.line for row in shown], fields=fields)
    return PreviewAnswer(
        encoding=look.encoding,
        delimiter=look.delimiter,
        sampled=len(look.rows),
        outcomes=dict(outcomes),
        left_out=dict(left_out),
        rules=[
            RuleCount(
                field=fault.field,
                rule=fault.rule,
                severity=severity_of(fault.rule, mapping.severity).value,
                title=render(f"record-fault.{fault.rule}", {}, locale),
                rows=count,
            )
            for fault, count in rules.most_common()
        ],
        rows=shown,
    )


def register(
    deps: ApiDeps, principal: Principal, token: str, body: SourcePlace, *, slot: KeySlot, fingerprint: str
) -> str:
    """Put a source on record, once it can be read and its mapping fits; returns its id.

    Raises:
        FormInvalid: what stands against it, all at once.
        WrongState: the job collects no more.
    """
    job, mapping, now = read_job(deps, principal, token, own=True), mapping_of(body), deps.clock()
    _require_open(job)
    look = _look(deps, job, body, mapping, most=1)
    compile_mapping(mapping, look.header)
    source_id, document = new_token("tsr"), mapping.as_document()
    deed = Deed(
        tenant=job.tenant,
        action="transfer.source-registered",
        target=job.token,
        actor=principal.staff_id,
        at=now,
        facts={"source": source_id, "kind": body.kind, "mapping": digest(document)},
    )
    with unit_of_work(deps.database, deed) as unit:
        open_key(unit.session, slot, fingerprint=fingerprint, resource_id=source_id, status=201, now=now)
        _require_open(hold_job(unit.session, job.token))
        unit.session.add(
            TransferSource(
                id=source_id,
                tenant=job.tenant,
                job=job.token,
                number=next_number(sources_of(unit.session, job.token)),
                kind=body.kind,
                place=body.place,
                mapping=document,
                mapping_hash=digest(document),
            )
        )
    return source_id


def next_number(sources: Sequence[TransferSource]) -> int:
    """Of a source that comes behind these."""
    return max((each.number for each in sources), default=0) + 1


def mapping_of(body: SourcePlace) -> TransferMapping:
    """The mapping that came with a source.

    Raises:
        FormInvalid: a file or a database without one, or what is wrong with it.
    """
    if body.mapping is None:
        if body.kind != SourceKind.BOOK.value:
            raise FormInvalid(faults=(FieldFault(pointer="/mapping", code="required"),))
        return IDENTITY
    return parse_mapping(body.mapping)


def _reading(body: SourcePlace) -> TransferMapping:
    return IDENTITY if body.mapping is None else parse_mapping(body.mapping)


def _look(deps: ApiDeps, job: TransferJob, body: SourcePlace, mapping: TransferMapping, *, most: int) -> Look:
    desk: SourceDesk | None = deps.transfer_sources
    if desk is None:
        raise FormInvalid(faults=(FieldFault(pointer="/place", code="source-kind"),))
    ref = SourceRef(tenant=job.tenant, source_tenant=job.source_tenant, kind=SourceKind(body.kind), place=body.place)
    return desk.look(ref, mapping, most=most)


def _require_open(job: TransferJob) -> None:
    if job.stage not in OPEN_STAGES:
        raise WrongState(params={"state": job.stage})
