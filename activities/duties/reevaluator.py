"""The re-evaluator: asks open cases again under the rules as they are now, a few at a time, until every pass is over.

A chunk is read without a lock, kept in one short transaction with its event and the pass's place, and given up if
somebody else has kept it meanwhile: a pass that is killed goes on where it stood, and no case counts twice.
"""

import asyncio
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

import structlog

from activities.duties.runner import Duty
from compliance.audit.deeds import Deed, shown_hash
from compliance.audit.unit import Unchanged, unit_of_work
from compliance.policy import policy_of, policy_on
from compliance.reevaluation import Asking, look_at_case
from models.database.engine import Database
from models.domain.clock import Clock
from models.operations.rule_passes import Flip, Found, end_pass, keep_chunk, review_key
from models.queries.rule_passes import open_case_tokens, running_passes
from models.tables.rule_desk import RuleDraft, RuleReevaluation

log = structlog.get_logger(__name__)
_CHUNK: Final = 20
_CHUNKS_A_TURN: Final = 50
_TURN: Final = timedelta(seconds=4)  # well within the lease, which is asked for anew before the next turn
_REST_S: Final = 0.005  # on SQLite, so that an interactive commit gets its turn


@dataclass(slots=True)
class Reevaluator(Duty):
    """Works on the passes that are not over, oldest first."""

    database: Database
    clock: Clock
    name: ClassVar[str] = "reevaluator"
    every: ClassVar[timedelta] = timedelta(seconds=2)

    async def run_once(self, now: datetime) -> int:  # noqa: ARG002 - each chunk has its own time
        """Go on with the oldest pass for a while; returns how many chunks were done."""
        return await asyncio.to_thread(self._work)

    def _work(self) -> int:
        with self.database.read() as session:
            waiting = running_passes(session)
        done, until = 0, self.clock() + _TURN
        for pass_id in waiting:
            while done < _CHUNKS_A_TURN and self.clock() < until and self.chunk(pass_id):
                done += 1
                if self.database.is_sqlite:
                    time.sleep(_REST_S)
        return done

    def chunk(self, pass_id: str) -> bool:
        """Do the next chunk of a pass; False when it is over."""
        found = Found()
        with self.database.read() as session:
            about = session.get_one(RuleReevaluation, pass_id)
            tokens = open_case_tokens(session, about.tenant, after=about.cursor, limit=_CHUNK)
            asking = _asking(session, about)
        for token in tokens:
            self._look_at(token, asking, found)
        if not tokens:
            self._end(about)
            return False
        self._keep(about, found, cursor=tokens[-1])
        return True

    def _look_at(self, token: str, asking: Asking, found: Found) -> None:
        try:
            with self.database.read() as session:
                look_at_case(session, token, asking, found)
        except Exception as error:  # noqa: BLE001 - one case that cannot be read must not stop the others
            log.warning("reevaluation.case-failed", case=token, error_type=type(error).__name__)
            found.cases += 1
            found.failed_cases += 1

    def _keep(self, about: RuleReevaluation, found: Found, *, cursor: str) -> None:
        now = self.clock()
        deed = _deed(about, "rules.cases-reevaluated", now)
        reviews = {
            review_key(flip, about.rules_version): _shown(about, flip)
            for flip in found.flips
            if flip.blocks_now and about.with_tasks
        }
        with unit_of_work(self.database, deed) as unit:
            made = keep_chunk(unit.session, about, found, cursor=cursor, shown_hashes=reviews, now=now)
            if made is None:
                raise Unchanged
            unit.deed.facts |= {
                "until": cursor,
                "cases": found.cases,
                "verdicts": found.verdicts,
                "flips": len(found.flips),
                "nowFailing": len(found.now_failing),
                "tasks": made,
                "rows": shown_hash([_line(flip) for flip in found.flips]),
            }

    def _end(self, about: RuleReevaluation) -> None:
        now = self.clock()
        deed = _deed(about, "rules.reevaluation-ended", now)
        deed.facts |= {
            "cases": about.cases,
            "flips": about.flips,
            "nowFailing": about.now_failing,
            "tasks": about.tasks_made,
        }
        with unit_of_work(self.database, deed) as unit:
            if not end_pass(unit.session, about, now=now):
                raise Unchanged


def _asking(session: Any, about: RuleReevaluation) -> Asking:
    if about.policy_draft_id is not None:
        return Asking(about.as_of, policy_of(session.get_one(RuleDraft, about.policy_draft_id)))
    return Asking(about.as_of, policy_on(session, about.tenant, on=about.as_of))


def _shown(about: RuleReevaluation, flip: Flip) -> tuple[dict[str, Any], str]:
    shown = {
        "rule": flip.rule_id,
        "gate": flip.gate,
        "before": flip.before,
        "after": flip.after,
        "reason": flip.reason,
        "text": flip.params.get("text", {}),
        "asOf": about.as_of.isoformat(),
        "rulesVersion": about.rules_version,
        "reevaluation": about.id,
        "verdict": flip.verdict_id,
    }
    return shown, shown_hash(shown)


def _line(flip: Flip) -> list[str]:
    return [flip.case_token, flip.gate, flip.rule_id, flip.before, flip.after]


def _deed(about: RuleReevaluation, action: str, now: datetime) -> Deed:
    facts = {"asOf": about.as_of.isoformat(), "rulesVersion": about.rules_version}
    return Deed(tenant=about.tenant, action=action, target=about.id, actor="duty:reevaluator", at=now, facts=facts)
