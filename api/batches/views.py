"""How the API tells of runs of batches, and who may do what with one."""

from collections.abc import Mapping
from datetime import date

from sqlmodel import Session

from api.batches.bodies import (
    ClassAnswer,
    CohortAnswer,
    ExclusionAnswer,
    FaultAnswer,
    ImportAnswer,
    OrderAnswer,
    PreviewAnswer,
    RowAnswer,
    RunAnswer,
    RunItem,
    RunProgress,
    SampleAnswer,
    SumAnswer,
)
from api.identity.principal import Principal
from api.tasks.views import PermitAnswer
from api.wording import worded
from models.domain.batches.exclusions import RULE_OF, Exclusion
from models.domain.batches.kinds import KindName, Origin, stages_of
from models.domain.batches.states import BEFORE_EFFECTS, CAN_STOP, RunStage
from models.domain.roles import Permission
from models.operations.batches.runs import DAILY_STATE
from models.queries.batches.cohorts import Preview, cohort_of
from models.queries.batches.run_list import import_of, lacks_file
from models.queries.batches.runs import order_counts, rehearsal_counts
from models.tables.batch_imports import BatchImport, BatchRow
from models.tables.batch_runs import BatchOrder, BatchRun
from models.texts.render import has_text


def run_item(run: BatchRun, *, locale: str) -> RunItem:
    """A run in a list."""
    return RunItem(
        run=run.token,
        kind=run.kind,
        kind_text=worded(f"batch-kind.{run.kind}", locale),
        origin=run.origin,
        business_date=run.business_date,
        stage=run.stage,
        stage_text=worded(f"batch-stage.{run.stage}", locale),
        outcome=run.outcome,
        paused=run.paused_at is not None,
        tripped=run.tripped,
        created_at=run.created_at,
        ended_at=run.ended_at,
    )


def run_answer(session: Session, run: BatchRun, principal: Principal, *, locale: str) -> RunAnswer:
    """A run with everything a person decides by."""
    cohort, taken = cohort_of(session, run), import_of(session, run.token)
    return RunAnswer(
        **run_item(run, locale=locale).model_dump(by_alias=False),
        source=run.source,
        revision=run.revision,
        criteria=run.criteria,
        settings=run.settings,
        rule_version=run.rule_version,
        shown_hash=run.shown_hash,
        reason_code=run.reason_code,
        cancel_asked=run.cancel_asked_at is not None,
        awaits_file=lacks_file(session, run),
        client=run.client,
        funding_account=run.funding_account,
        file=import_answer(taken) if taken is not None else None,
        cohort=None
        if cohort is None
        else CohortAnswer(
            members=cohort.members,
            excluded=cohort.excluded,
            amount_minor=cohort.amount_minor,
            cohort_hash=cohort.cohort_hash,
            frozen_at=cohort.frozen_at,
        ),
        counts=run.counts,
        created_by=run.created_by,
        updated_at=run.updated_at,
        version=run.version,
        allowed_actions=_permits(run, principal, awaits_file=lacks_file(session, run), locale=locale),
    )


def import_answer(taken: BatchImport) -> ImportAnswer:
    """The file of a run, by its figures alone."""
    return ImportAnswer(
        id=taken.id,
        layout=taken.layout,
        layout_version=taken.layout_version,
        size_bytes=taken.size_bytes,
        control_count=taken.control_count,
        control_minor=taken.control_minor,
        read_rows=taken.read_rows,
        problem=taken.problem,
        finished_at=taken.finished_at,
        created_at=taken.created_at,
    )


def progress_answer(session: Session, run: BatchRun) -> RunProgress:
    """How far a run is. A run that is being stopped has left the order of its stages: none more is done."""
    stages = stages_of(KindName(run.kind), Origin(run.origin))
    done = len(stages) if run.stage == RunStage.ENDED else _place(stages, RunStage(run.stage))
    return RunProgress(
        run=run.token,
        stage=run.stage,
        outcome=run.outcome,
        paused=run.paused_at is not None,
        awaits_file=lacks_file(session, run),
        tripped=run.tripped,
        stages_done=done,
        stages=len(stages),
        expected=_sums(rehearsal_counts(session, run)),
        orders=_sums(order_counts(session, run.token)),
    )


def order_answer(order: BatchOrder, *, locale: str) -> OrderAnswer:
    """An order, without whose it is."""
    return OrderAnswer(
        order=order.id,
        member=order.member,
        attempt=order.attempt,
        claim_end=order.claim_key[-8:],
        amount_minor=order.amount_minor,
        currency=order.currency,
        state=order.state,
        state_text=worded(f"order-state.{order.state}", locale),
        final_state=order.final_state,
        reason_code=order.reason_code,
        rule_id=order.rule_id,
        requested_on=order.requested_on,
        settled_on=order.settled_on,
        next_try_on=order.next_try_on,
    )


def row_answer(row: BatchRow, *, locale: str) -> RowAnswer:
    """A row of a file, without what stands in it."""
    return RowAnswer(
        number=row.number,
        line=row.line,
        attempt=row.attempt,
        amount_minor=row.amount_minor,
        state=row.state,
        faults=[
            FaultAnswer(field=each["field"], rule=each["rule"], title=_rule_text(each["rule"], locale))
            for each in row.faults
        ],
        reason_code=row.reason_code,
        version=row.version,
    )


def _rule_text(rule: str, locale: str) -> str:
    """Rules of batch files alone have words of their own; the others are those of customers' records."""
    own = f"batch-fault.{rule}"
    return worded(own if has_text(own, locale) else f"record-fault.{rule}", locale)


def preview_answer(found: Preview, *, on: date, locale: str) -> PreviewAnswer:
    """What a cohort would be."""
    return PreviewAnswer(
        business_date=on,
        members=found.figures.members,
        excluded=found.figures.excluded,
        amount_minor=found.figures.amount_minor,
        classes=[
            ClassAnswer(
                type_class=each.type_class,
                amount_class=each.amount_class,
                cycle_class=each.cycle_class,
                rows=each.rows,
                amount_minor=each.amount_minor,
            )
            for each in found.classes
        ],
        exclusions=found.exclusions,
        reasons=[
            ExclusionAnswer(
                reason=reason,
                title=worded(f"batch-exclusion.{reason}", locale),
                rule_id=(rule := RULE_OF[Exclusion(reason)]),
                citation=worded(f"rule.{rule}.citation", locale),
                rows=rows,
            )
            for reason, rows in found.exclusions.items()
        ],
        sample=[
            SampleAnswer(
                claim_end=each.claim_end,
                amount_minor=each.amount_minor,
                type_class=each.type_class,
                amount_class=each.amount_class,
                cycle_class=each.cycle_class,
                exclusion=each.exclusion,
                rule_id=each.rule_id,
            )
            for each in found.sample
        ],
    )


def _place(stages: tuple[RunStage, ...], stage: RunStage) -> int:
    order = list(RunStage)
    return sum(order.index(each) < order.index(stage) for each in stages)


def _sums(found: Mapping[str, tuple[int, int]]) -> dict[str, SumAnswer]:
    return {state: SumAnswer(count=count, amount_minor=total) for state, (count, total) in sorted(found.items())}


def _permits(run: BatchRun, principal: Principal, *, awaits_file: bool, locale: str) -> dict[str, PermitAnswer]:
    ended, paused = run.stage == RunStage.ENDED, run.paused_at is not None
    can_cancel = RunStage(run.stage) in BEFORE_EFFECTS | CAN_STOP
    against = {
        "pause": run.stage if ended else "paused" if paused else None,
        "resume": run.stage if ended else "file-awaited" if awaits_file else None if paused else "running",
        "add-file": None if awaits_file else run.stage,
        "cancel": None if can_cancel else run.stage,
    }
    if run.origin == Origin.DAILY and not ended:
        against |= dict.fromkeys(("pause", "resume", "cancel"), DAILY_STATE)
    return {action: _permit(principal, state=state, locale=locale) for action, state in against.items()}


def _permit(principal: Principal, *, state: str | None, locale: str) -> PermitAnswer:
    because, params = None, {}
    if Permission.BATCHES_RUN not in principal.permissions:
        because, params = "permission-missing", {"permission": Permission.BATCHES_RUN.value}
    elif state is not None:
        because, params = "wrong-state", {"state": state}
    if because is None:
        return PermitAnswer(allowed=True)
    text = worded(f"problem.{because}.detail", locale, params)
    return PermitAnswer(allowed=False, because=because, because_text=text, params=dict(params))
