"""Decision forms of a transfer job's tasks (`models.domain.forms` knows them by type and outcome)."""

from typing import Annotated, Literal

from pydantic import Field

from models.domain.form_base import Checked, Form

MAX_ERROR_BUDGET = 1_000  # per mille of a wave's rows: all of them

ClassificationRejectReason = Literal["not-a-transfer", "evidence-missing", "opened-by-mistake"]
PlanReturnReason = Literal["plan-incomplete", "risk-not-covered", "timetable-unsuitable", "scope-too-wide"]
PlanRejectReason = Literal["outside-policy", "transfer-called-off", "not-lawful"]
GoReturnReason = Literal["figures-unclear", "reviews-outstanding", "quality-too-low"]
GoRejectReason = Literal["quality-too-low", "transfer-called-off", "risk-not-covered"]
# What somebody holds against going, recorded beside the go (保留意见).
Dissent = Literal["quality-too-low", "timetable-unsuitable", "risk-not-covered", "reviews-outstanding"]
GateGiveUpReason = Literal["not-lawful", "evidence-missing", "transfer-called-off"]
RollbackRejectReason = Literal["not-needed", "retry-first", "wrong-choice"]
UndoReason = Literal["error-rate", "wrong-mapping", "source-wrong", "transfer-called-off"]


class ClassificationAccept(Form):
    """It is the event that the record says (定性确认)."""

    outcome: Literal["accept"]


class ClassificationReject(Form):
    """It is no transfer of this kind; the job ends."""

    outcome: Literal["reject"]
    reason_code: ClassificationRejectReason


class GateRetry(Form):
    """What was missing is there now: ask the rules again."""

    outcome: Literal["retry"]


class GateGiveUp(Form):
    """The rule cannot be satisfied; the job ends. Not once rows have moved."""

    outcome: Literal["give-up"]
    reason_code: GateGiveUpReason


class PlanApprove(Checked):
    """The plan as shown is approved for this company (同意)."""

    outcome: Literal["approve"]


class PlanReturn(Checked):
    """Back to planning."""

    outcome: Literal["return"]
    reason_code: PlanReturnReason


class PlanReject(Checked):
    """This company does not go along; the job ends."""

    outcome: Literal["reject"]
    reason_code: PlanRejectReason


class GoApprove(Checked):
    """Go, on these figures (割接); a dissent is recorded beside it."""

    outcome: Literal["approve"]
    dissent: Dissent | None = None


class GoReturn(Checked):
    """Back to verification."""

    outcome: Literal["return"]
    reason_code: GoReturnReason


class GoReject(Checked):
    """No go; nothing has moved, and the job ends."""

    outcome: Literal["reject"]
    reason_code: GoRejectReason


class WaveRunOn(Checked):
    """The wave goes on, or an undone one runs again, under a new error budget (per mille of its rows)."""

    outcome: Literal["run-on"]
    error_budget: Annotated[int, Field(ge=0, le=MAX_ERROR_BUDGET)]


class WaveUndo(Checked):
    """The wave is put back (批次回退)."""

    outcome: Literal["undo-wave"]
    reason_code: UndoReason


class JobUndo(Checked):
    """Every wave is put back, and the job ends (整体回退)."""

    outcome: Literal["undo-job"]
    reason_code: UndoReason


class RollbackConfirm(Checked):
    """A second person agrees with the rollback (复核同意)."""

    outcome: Literal["confirm"]


class RollbackReject(Checked):
    """A second person disagrees; the job goes on where it stood."""

    outcome: Literal["reject"]
    reason_code: RollbackRejectReason


class CloseConfirm(Checked):
    """The job is closed on what was shown (结项)."""

    outcome: Literal["confirm"]


class CloseRetry(Checked):
    """Look again whether it may be closed."""

    outcome: Literal["retry"]


class TrainingRetry(Form):
    """The sponsor's course is on record: look again. Recording the grant does the same by itself."""

    outcome: Literal["retry"]
