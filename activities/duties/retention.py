"""The retention sweep (保存期限清理): proposes to delete what has been kept long enough, locks what may only be stored.

It deletes nothing itself: two persons decide, in the inbox, and a legal hold stands against both. A person whose every
case has been over for a while is looked at: nothing stands in the way any more -> an erasure is proposed; a law still
keeps them -> their data are locked until its last day (个人信息保护法 Art. 47).
"""

import asyncio
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar, Final

from activities.duties.runner import Duty
from compliance.audit.deeds import Deed, shown_hash
from compliance.audit.unit import Unchanged, unit_of_work
from models.database.engine import Database
from models.domain.privacy.erasing import Ground
from models.domain.privacy.retention import Obstacle, until_when
from models.domain.shanghai import shanghai_date
from models.domain.tokens import new_token
from models.errors import Conflict, NotFound, WrongState
from models.operations import erasure, subject_locks
from models.operations.erasure import NewErasure
from models.operations.erasure_tasks import sync_tasks
from models.queries.erasure import request_by_id, waiting_without_task
from models.queries.products import retention_of
from models.queries.retention import obstacles_of, periods_of, subjects_at_rest, tenants

ACTOR: Final = "duty:retention"
_CHUNK: Final = 200
_BREATH: Final = 0.002  # seconds between two persons: a first sweep of a large book writes for hours, beside everybody


@dataclass(slots=True)
class RetentionSweep(Duty):
    """Once a day over every institution, in chunks that leave room for others; repeated, it finds its work done."""

    database: Database
    swept_on: dict[str, object] = field(default_factory=dict)
    name: ClassVar[str] = "retention"
    every: ClassVar[timedelta] = timedelta(minutes=10)

    async def run_once(self, now: datetime) -> int:
        """Sweep what was not swept today; returns how many proposals and locks came of it."""
        return await asyncio.to_thread(self.sweep, now)

    def sweep(self, now: datetime) -> int:
        """Sweep every institution once for each day in Shanghai."""
        today = shanghai_date(now)
        with self.database.read() as session:
            codes = tenants(session)
        done = 0
        for tenant in codes:
            if self.swept_on.get(tenant) != today:
                self._open_tasks(tenant, now)
                done += self._sweep_tenant(tenant, now)
                self.swept_on[tenant] = today
        return done

    def _sweep_tenant(self, tenant: str, now: datetime) -> int:
        with self.database.read() as session:
            wait = timedelta(days=retention_of(session, tenant).lock_after_days)
        done, after = 0, ""
        while True:
            with self.database.read() as session:
                ids = subjects_at_rest(
                    session, tenant=tenant, before=now - wait, today=shanghai_date(now), after=after, limit=_CHUNK
                )
            for subject_id in ids:
                done += self._look_at(tenant, subject_id, now)
                time.sleep(_BREATH)
            if len(ids) < _CHUNK:
                return done
            after = ids[-1]

    def _open_tasks(self, tenant: str, now: datetime) -> None:
        """Put into the inbox what was asked for before requests had tasks there."""
        after = ""
        while True:
            with self.database.read() as session:
                ids = [each.id for each in waiting_without_task(session, tenant=tenant, after=after, limit=_CHUNK)]
            for request_id in ids:
                self._open_task(tenant, request_id, now)
                time.sleep(_BREATH)
            if len(ids) < _CHUNK:
                return
            after = ids[-1]

    def _open_task(self, tenant: str, request_id: str, now: datetime) -> None:
        deed = Deed(tenant=tenant, action="erasure.task-opened", target=request_id, actor=ACTOR, at=now)
        with unit_of_work(self.database, deed) as unit:
            request = request_by_id(unit.session, request_id, tenant=tenant)
            if request is None or request.subject_id is None:
                raise Unchanged
            erasure.hold_person(unit.session, request.subject_id, erased_too=True)
            unit.session.refresh(request)  # nobody moves it from here on
            if request.subject_id is None:
                raise Unchanged
            periods = periods_of(unit.session, request.subject_id, tenant=tenant)
            sync_tasks(unit.session, request, now=now, periods=periods)

    def _look_at(self, tenant: str, subject_id: str, now: datetime) -> int:
        today = shanghai_date(now)
        with self.database.read() as session:
            standing = obstacles_of(session, subject_id, tenant=tenant, today=today)
        if not standing:
            return self._propose(tenant, subject_id, now)
        until = until_when(tuple(each for each in standing if each.until is not None))
        if until is None:  # a hold alone keeps the data; no law says how long
            return 0
        return self._lock(tenant, subject_id, standing, now)

    def _propose(self, tenant: str, subject_id: str, now: datetime) -> int:
        request_id = new_token("era")
        deed = Deed(tenant=tenant, action="erasure.proposed", target=request_id, actor=ACTOR, at=now)
        new = NewErasure(id=request_id, tenant=tenant, subject_id=subject_id, ground=Ground.PERIOD_OVER, proposer=ACTOR)
        try:
            with unit_of_work(self.database, deed) as unit:
                erasure.hold_person(unit.session, subject_id)
                standing = obstacles_of(unit.session, subject_id, tenant=tenant, today=shanghai_date(now))
                if standing:
                    raise Unchanged
                bound = shown_hash(erasure.shown(new))
                periods = periods_of(unit.session, subject_id, tenant=tenant)
                erasure.make(unit.session, new, shown_hash=bound, standing=(), now=now, periods=periods)
                deed.facts = {"subject": subject_id, "ground": Ground.PERIOD_OVER.value, "shown": bound}
        except (Conflict, NotFound, WrongState):
            return 0
        return 1 if unit.event_ids else 0

    def _lock(self, tenant: str, subject_id: str, standing: tuple[Obstacle, ...], now: datetime) -> int:
        longest = max((each for each in standing if each.until is not None), key=lambda each: each.until or now.date())
        deed = Deed(tenant=tenant, action="subject.locked", target=subject_id, actor=ACTOR, at=now)
        with unit_of_work(self.database, deed) as unit:
            if longest.until is None:
                raise Unchanged
            subject_locks.lock(
                unit.session, subject_id=subject_id, tenant=tenant, rule=longest.rule, until=longest.until, now=now
            )
            deed.facts = {"rule": longest.rule, "until": longest.until.isoformat()}
        return 1
