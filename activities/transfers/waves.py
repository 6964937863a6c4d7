"""The adapter of the waves of a transfer job (分批更新、回滚、对账)."""

import time
from dataclasses import dataclass
from typing import Final

from temporalio import activity

from activities.transfers import wave_planning, wave_undoing
from activities.transfers.downstream import Downstream, hand_wave, waves_to_hand
from activities.transfers.downstream_reversals import hand_reversals
from activities.transfers.wave_checking import check_wave
from activities.transfers.wave_departures import mark_departed
from activities.transfers.wave_moving import NOT_MOVING, move_chunk
from activities.transfers.wave_reconciling import reconcile
from activities.transfers.wave_roots import wave_root
from activities.transfers.wave_statistics import refresh_statistics
from activities.transfers.wave_work import CHUNK, WaveWork, load_work
from compliance.audit.unit import Unchanged, unit_of_work
from compliance.transfers.training import require_training
from compliance.vault.keyring import Vault
from models.contracts.transfers import ChunkDone, ChunkStep, JobStep, WaveMeasured, WavesPlanned
from models.database.engine import Database
from models.domain.clock import Clock
from models.domain.transfers.states import WaveState
from models.errors import NotFound, WrongState
from models.operations.suite_guard import refuse_beside_suite_change
from models.operations.transfers.wave_moves import WaveAt, hold_wave
from models.tables.transfers import TransferWave
from workflows.ports.transfers import WavePort

# One call does as many chunks as fit: long enough to make a call worth while, short enough to be told of a pause.
A_CALL_S: Final = 20.0


@dataclass(slots=True)
class SqlWaves(WavePort):
    """The steps.

    Attributes:
        downstream: where changed records are handed to; None where nobody waits for them.
        chunk: rows of a transaction, at most 500.
        a_call_s: after so many seconds a call ends and says where to go on.
    """

    database: Database
    vault: Vault
    clock: Clock
    downstream: Downstream | None = None
    chunk: int = CHUNK
    a_call_s: float = A_CALL_S

    @activity.defn(name="transfers.plan_waves", no_thread_cancel_exception=True)
    def plan_waves(self, input: JobStep) -> WavesPlanned:
        """Give every row that moves a wave; once. Refuses a job whose rows do not add up."""
        return WavesPlanned(waves=wave_planning.plan(self._work(input.job)))

    @activity.defn(name="transfers.begin_wave", no_thread_cancel_exception=True)
    def begin_wave(self, input: ChunkStep) -> WaveMeasured:
        """Note the root of what the wave touches of the book, before it does; once for each attempt."""
        work = self._work(input.job)
        wave = self._wave(work, input.wave)
        attempt = input.attempt or wave.attempt
        if not _may_begin(wave, attempt):
            if wave.attempt == attempt and wave.state != WaveState.PLANNED:
                return WaveMeasured(state=wave.state)
            raise WrongState(detail=f"wave {input.wave} of {input.job}", params={"state": wave.state})
        root, now = wave_root(work, WaveAt(work.tenant, input.job, input.wave, attempt)), self.clock()
        deed = work.deed(
            "transfer.wave-begun", now, wave=input.wave, attempt=attempt, root=root.root, records=root.records
        )
        with unit_of_work(self.database, deed) as unit:
            held = hold_wave(unit.session, WaveAt(work.tenant, input.job, input.wave, wave.attempt))
            if held is None or not _may_begin(held, attempt):
                raise Unchanged
            refuse_beside_suite_change(unit.session, work.tenant)
            held.attempt, held.state, held.begun_at, held.ended_at = attempt, WaveState.MOVING.value, now, None
            held.moved = held.failed = held.conflicts = 0
            held.root_before, held.root_after, held.root_undone, held.checked = root.root, None, None, None
            held.leaves_before = root.present
            held.version += 1
            unit.session.add(held)
        return WaveMeasured(state=WaveState.MOVING)

    @activity.defn(name="transfers.move_rows", no_thread_cancel_exception=True)
    def move_rows(self, input: ChunkStep) -> ChunkDone:
        """Move a wave's rows into the target's book, each with its line in the journal; stops on the error budget."""
        until, after = time.monotonic() + self.a_call_s, int(input.after or 0)
        at: WaveAt | None = None
        while True:
            work = self._work(input.job)
            if work.job.paused_at is not None:
                return ChunkDone(after=str(after) if after else "", paused=True)
            self._may_open(work)
            at = at or self._at(work, input)
            moved = move_chunk(work, at, after, size=self.chunk)
            if moved.stopped is not None:
                return ChunkDone(after=None, stopped=moved.stopped)
            if moved.after is None:
                return ChunkDone(after=None)
            after = moved.after
            if time.monotonic() >= until:
                return ChunkDone(after=str(after))

    @activity.defn(name="transfers.end_wave", no_thread_cancel_exception=True)
    def end_wave(self, input: ChunkStep) -> WaveMeasured:
        """Reconcile the wave and refresh the statistics; one with faults stands still, and they are named."""
        work = self._work(input.job)
        at = self._at(work, input)
        wave = self._wave(work, input.wave)
        if wave.attempt != at.attempt or wave.state not in (WaveState.MOVING, WaveState.MOVED):
            return WaveMeasured(state=wave.state)
        self._may_open(work)
        check = check_wave(work, at)
        root, now = wave_root(work, at, known=check.leaves), self.clock()
        state = WaveState.STOPPED if check.faults else WaveState.MOVED
        told = check.told()
        deed = work.deed(
            "transfer.wave-ended" if not check.faults else "transfer.wave-differs",
            now,
            wave=at.wave,
            attempt=at.attempt,
            root=root.root,
            **told,
        )
        with unit_of_work(self.database, deed) as unit:
            held = hold_wave(unit.session, at)
            if held is None or held.state not in (WaveState.MOVING, WaveState.MOVED):
                raise Unchanged
            if held.state == WaveState.MOVED and held.checked == told and held.root_after == root.root:
                raise Unchanged
            held.state, held.root_after, held.checked, held.ended_at = state.value, root.root, told, now
            held.version += 1
            unit.session.add(held)
        if state is WaveState.MOVED:
            mark_departed(work, wave=at.wave)
        refresh_statistics(work)
        return WaveMeasured(state=state, root_equal=not check.faults)

    @activity.defn(name="transfers.undo_rows", no_thread_cancel_exception=True)
    def undo_rows(self, input: ChunkStep) -> ChunkDone:
        """Put back what a wave changed, last change first; what changed since is a conflict for a person."""
        until, before = time.monotonic() + self.a_call_s, int(input.after) if input.after else None
        work = self._work(input.job)
        at = self._at(work, input)
        if not wave_undoing.begin_undo(work, at):
            return ChunkDone(after=None)
        while True:
            part = wave_undoing.undo_chunk(work, at, before, size=self.chunk)
            if part.before is None:
                return ChunkDone(after=None)
            before = part.before
            if time.monotonic() >= until:
                return ChunkDone(after=str(before))

    @activity.defn(name="transfers.end_undo", no_thread_cancel_exception=True)
    def end_undo(self, input: ChunkStep) -> WaveMeasured:
        """Hold the root after the undo against the one before the wave.

        Equal also means: all is as it was but for records that others have changed, each of which is named.
        """
        work = self._work(input.job)
        state, equal = wave_undoing.end_undo(work, self._at(work, input))
        return WaveMeasured(state=state or NOT_MOVING, root_equal=equal)

    @activity.defn(name="transfers.reconcile", no_thread_cancel_exception=True)
    def reconcile(self, input: JobStep) -> ChunkDone:
        """The whole job: conservation at each hop, checksums by column, roots; `stopped` names what differs."""
        work = self._work(input.job)
        stopped = reconcile(work)
        if stopped is None:
            mark_departed(work)  # rows that a person has let move after their wave had ended
        return ChunkDone(after=None, stopped=stopped)

    @activity.defn(name="transfers.hand_downstream", no_thread_cancel_exception=True)
    def hand_downstream(self, input: ChunkStep) -> ChunkDone:
        """Hand the changed records to what lies downstream (file, Parquet, hook), each exactly once."""
        work = self._work(input.job)
        if self.downstream is None:
            return ChunkDone(after=None)
        if work.job.paused_at is not None:
            return ChunkDone(after=input.after, paused=True)
        self._may_open(work)
        until = time.monotonic() + self.a_call_s
        hand_reversals(work, self.downstream)  # before what a later attempt has to say
        for wave in waves_to_hand(work, after=int(input.after or 0)):
            if input.wave in (0, wave.number):
                hand_wave(work, self.downstream, wave)
                if time.monotonic() >= until:
                    return ChunkDone(after=str(wave.number))
        return ChunkDone(after=None)

    def _work(self, job: str) -> WaveWork:
        return load_work(self.database, self.vault, self.clock, job)

    def _may_open(self, work: WaveWork) -> None:
        """The job's steps open rows and records on its sponsor's grant; a rollback opens nothing, and asks for none.

        Raises:
            TrainingMissing: there is none that holds.
        """
        require_training(self.database, job=work.job.token, now=self.clock())

    def _wave(self, work: WaveWork, number: int) -> TransferWave:
        with self.database.read() as session:
            wave = session.get(TransferWave, (work.job.token, number))
        if wave is None:
            raise NotFound(detail=f"wave {number} of {work.job.token}")
        return wave

    def _at(self, work: WaveWork, input: ChunkStep) -> WaveAt:
        """The attempt that the step is about; the present one if it says none."""
        return work.at(input.wave, input.attempt or self._wave(work, input.wave).attempt)


def _may_begin(wave: TransferWave, attempt: int) -> bool:
    """A planned wave begins with the attempt it stands at, an undone one with the next."""
    if wave.state == WaveState.PLANNED:
        return attempt == wave.attempt
    return wave.state == WaveState.UNDONE and attempt == wave.attempt + 1
