"""The adapter of a change of suite: each step over the key store, the data and the sealed files."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from temporalio import activity

from activities.parties.reseal_cells import reseal_cells
from activities.parties.reseal_files import clear_drafts, reseal_files
from activities.parties.reseal_indexes import reseal_indexes
from activities.parties.reseal_scan import scan
from activities.parties.reseal_work import Found, ResealWork
from compliance.audit.unit import Unchanged, unit_of_work
from compliance.vault.branches import KEY_TTL
from compliance.vault.keyring import Vault
from models.contracts.parties import (
    ResealBegun,
    ResealFailed,
    ResealScanned,
    ResealStep,
    ResealWanted,
    SubjectsDone,
    SubjectsStep,
)
from models.contracts.platform import Done
from models.database.engine import Database
from models.domain.clock import Clock
from models.domain.ids import reseal_workflow_id, start_key
from models.domain.states import OutboxKind
from models.domain.suite_changes import OPEN_CHANGES, ChangePhase, ChangeState
from models.operations import outbox, suite_changes
from models.tables.suite_changes import SuiteChange
from workflows.ports.parties import ResealPort

SUBJECTS_A_STEP: Final = 200
# A process seals under a key that it has in memory for at most `KEY_TTL`, and commits what it sealed within minutes.
REST: Final = KEY_TTL + timedelta(minutes=5)


@dataclass(slots=True)
class SqlReseal(ResealPort):
    """The steps.

    Attributes:
        rest: how long another process may still use keys that it has in memory, the commit of what it sealed included.
        subjects_a_step: how many subjects one step works through.
    """

    database: Database
    vault: Vault
    clock: Clock
    files_root: Path
    rest: timedelta = REST
    subjects_a_step: int = SUBJECTS_A_STEP

    @activity.defn(name="reseal.begin", no_thread_cancel_exception=True)
    def begin(self, input: ResealStep) -> ResealBegun:
        """Note that the workflow runs, and read what there is to do."""
        work, now = self._work(input.tenant, input.change), self.clock()
        key = start_key(reseal_workflow_id(input.tenant, input.change))
        is_open = work.change.state in OPEN_CHANGES
        with unit_of_work(self.database, work.deed("suite-change.begun", now, kind=work.change.kind)) as unit:
            outbox.close(unit.session, kind=OutboxKind.START, business_key=key, now=now)
            if work.change.phase is not None or not is_open:
                raise Unchanged
            unit.session.get_one(SuiteChange, input.change).phase = ChangePhase.PUBLISHING
        return ResealBegun(
            is_open=is_open,
            whole_tenant=suite_changes.is_whole_tenant(work.change),
            rest_s=-(-self.rest // timedelta(seconds=1)),
        )

    @activity.defn(name="reseal.publish", no_thread_cancel_exception=True)
    def publish(self, input: ResealStep) -> Done:
        """Make the tenant's keys in the new suite; they open, and do not seal yet."""
        work = self._work(input.tenant, input.change)
        self._record(work, "suite-change.published", self.vault.renewal.publish(work.tenant, work.suite))
        return Done()

    @activity.defn(name="reseal.activate", no_thread_cancel_exception=True)
    def activate(self, input: ResealStep) -> Done:
        """Have them seal: from now on every new person's key is of the new suite."""
        work = self._work(input.tenant, input.change)
        self._record(work, "suite-change.activated", self.vault.renewal.activate(work.tenant, work.suite))
        return Done()

    @activity.defn(name="reseal.subjects", no_thread_cancel_exception=True)
    def subjects(self, input: SubjectsStep) -> SubjectsDone:
        """Seal again what is the next subjects', and destroy their old keys where nothing lies under them."""
        work = self._work(input.tenant, input.change)
        if work.change.state != ChangeState.RUNNING:
            return SubjectsDone(after=input.after, wait=True)
        whole = suite_changes.is_whole_tenant(work.change)
        subject_ids = self._next(work, input.after) if whole else [str(work.change.subject_id)]
        made = self._renew(work, subject_ids)
        self.vault.load_subjects(work.tenant, subject_ids)
        found = Found()
        reseal_cells(work, subject_ids, found)
        if whole:
            reseal_indexes(work, subject_ids, found)
        reseal_files(work, subject_ids, found)
        left, destroyed = self._retire(work, subject_ids, found)
        after = subject_ids[-1] if whole and len(subject_ids) == self.subjects_a_step else None
        self._note(work, input, after, found, {"keysMade": made, "keysDestroyed": destroyed})
        return SubjectsDone(after=after, left=left)

    @activity.defn(name="reseal.branches", no_thread_cancel_exception=True)
    def branches(self, input: ResealStep) -> Done:
        """Destroy the tenant's keys of other suites under which nothing lies."""
        work = self._work(input.tenant, input.change)
        if not work.change.unopened:  # what could not be brought to the new index key needs the old one
            destroyed = self.vault.renewal.retire_branches(work.tenant, work.suite)
            self._record(work, "suite-change.keys-destroyed", destroyed)
        return Done()

    @activity.defn(name="reseal.scan", no_thread_cancel_exception=True)
    def scan(self, input: ResealStep) -> ResealScanned:
        """Read the header of everything that is sealed, count by suite, and record what was found."""
        work = self._work(input.tenant, input.change)
        clear_drafts(work)
        found, counts = scan(work), self.vault.renewal.counts(work.tenant)
        others = sum(count for suite, count in counts.subjects.items() if suite != work.suite.id)
        if not suite_changes.is_whole_tenant(work.change):
            others = len(self.vault.renewal.with_old_versions(work.tenant, [str(work.change.subject_id)]))
        told = {
            **found.told(),
            "subjectKeys": {str(suite): count for suite, count in sorted(counts.subjects.items())},
            "branchKeys": {
                purpose: {str(suite): count for suite, count in sorted(by_suite.items())}
                for purpose, by_suite in sorted(counts.branches.items())
            },
            "keysLeft": others,
            "unopened": len(work.change.unopened),
        }
        is_clean = not (found.old or others or work.change.unopened)
        action = "suite-change.proven" if is_clean else "suite-change.stopped"
        with unit_of_work(self.database, work.deed(action, self.clock(), **told)) as unit:
            change = suite_changes.under_way(unit.session, input.change)
            if change is None:
                raise Unchanged
            change.phase, change.scan = ChangePhase.SCANNING, {**told, "at": unit.deed.at.isoformat()}
            if not is_clean and change.state == ChangeState.RUNNING:
                change.state = ChangeState.STOPPED
            unit.session.add(change)
        return ResealScanned(is_clean=is_clean)

    @activity.defn(name="reseal.wanted", no_thread_cancel_exception=True)
    def wanted(self, input: ResealStep) -> ResealWanted:
        """Whether people want the change to go on, to wait or to end."""
        state = self._work(input.tenant, input.change).change.state
        return ResealWanted(
            goes_on=state == ChangeState.RUNNING,
            is_cancelled=state not in OPEN_CHANGES or state == ChangeState.CANCELLING,
        )

    @activity.defn(name="reseal.close", no_thread_cancel_exception=True)
    def close(self, input: ResealStep) -> Done:
        """End the change: done, or cancelled where that is wanted."""
        work, now = self._work(input.tenant, input.change), self.clock()
        deed = work.deed("suite-change.done", now)
        with unit_of_work(self.database, deed) as unit:
            change = suite_changes.under_way(unit.session, input.change)
            if change is None:
                raise Unchanged
            if change.state == ChangeState.CANCELLING:
                deed.action = "suite-change.cancelled"
            change.state = ChangeState.CANCELLED if change.state == ChangeState.CANCELLING else ChangeState.DONE
            change.ended_at = now
            deed.facts |= {"passes": change.passes, **change.figures}
            unit.session.add(change)
        return Done()

    @activity.defn(name="reseal.note_failure", no_thread_cancel_exception=True)
    def note_failure(self, input: ResealFailed) -> Done:
        """Record a step that could not be done."""
        work = self._work(input.tenant, input.change)
        with unit_of_work(
            self.database, work.deed("suite-change.step-failed", self.clock(), step=input.step, code=input.code)
        ) as unit:
            suite_changes.count_in(unit.session, input.change, {"failures": 1})
        return Done()

    def _work(self, tenant: str, change_id: str) -> ResealWork:
        with self.database.read() as session:
            change = suite_changes.of_tenant(session, tenant=tenant, change_id=change_id)
        return ResealWork(self.database, self.vault, self.clock, self.files_root, change)

    def _next(self, work: ResealWork, after: str) -> list[str]:
        return self.vault.renewal.subjects_after(work.tenant, after, limit=self.subjects_a_step)

    def _renew(self, work: ResealWork, subject_ids: list[str]) -> int:
        renewal, change = self.vault.renewal, work.change
        if suite_changes.is_whole_tenant(change):
            return renewal.renew_subjects(work.tenant, subject_ids, work.suite)
        return renewal.renew_subject(work.tenant, subject_ids[0], beyond=change.old_version or 0)

    def _retire(self, work: ResealWork, subject_ids: list[str], found: Found) -> tuple[int, int]:
        """Destroy the old keys of subjects of whom nothing lay under them, once nobody can seal under them any more."""
        renewal, now = self.vault.renewal, self.clock()
        holding = renewal.with_old_versions(work.tenant, subject_ids)
        ready = {subject for subject, since in holding.items() if since + self.rest <= now} - found.touched
        destroyed = renewal.destroy_old_versions(work.tenant, ready) if ready else 0
        return len(holding.keys() - ready - found.stuck), destroyed

    def _note(
        self, work: ResealWork, input: SubjectsStep, after: str | None, found: Found, figures: dict[str, int]
    ) -> None:
        counted = {name: count for name, count in figures.items() if count}
        deed = work.deed(
            "suite-change.subjects-done",
            self.clock(),
            number=input.number,
            reached=after,
            unopened=[place.told() for place in found.unopened[: suite_changes.MOST_NAMED]],
            **counted,
        )
        with unit_of_work(self.database, deed) as unit:
            suite_changes.note_reached(
                unit.session,
                input.change,
                number=input.number,
                after=after or "",
                unopened=[place.told() for place in found.unopened],
                first=not input.after,
            )
            suite_changes.count_in(unit.session, input.change, counted)

    def _record(self, work: ResealWork, action: str, purposes: list[str]) -> None:
        """Put on record what was done in the key store; a killed try may have done it without."""
        with unit_of_work(self.database, work.deed(action, self.clock(), purposes=purposes)) as unit:
            suite_changes.count_in(unit.session, work.change.id, {"branchKeys": len(purposes)})
