"""The exercise with providers that are away (通知网关中断): notices wait, nobody is lost, nobody is told twice."""

import time
from typing import Final

from sqlmodel import col, select

from activities.transfers.drill_bench import Bench, Drilled, DrillFault, milliseconds
from models.contracts.transfers import ChunkStep
from models.domain.transfers.notice_course import AttemptState
from models.domain.transfers.notice_ids import message_of_attempt
from models.domain.transfers.states import TOLD
from models.errors import GatewayUnavailable
from models.operations.transfers.notices import LEASE_S
from models.tables.transfer_notices import TransferNotice, TransferNoticeAttempt

_ROUNDS: Final = 12
_A_ROUND_S: Final = LEASE_S + 3_600  # longer than a provider that did not answer is left in peace


def gateway_down(bench: Bench) -> Drilled:
    """Notices are planned, their providers turn them away, come back, and take each of them once.

    Raises:
        LookupError: nobody of the job can be told.
    """
    _walk(bench, "plan_notices")
    told_before = _told(bench)
    bench.desk.down = True
    _walk(bench, "send_notices")
    turned_away, tried = bench.desk.turned_away, _attempts(bench, AttemptState.SENDING)
    told_meanwhile = _told(bench) - told_before
    bench.desk.down = False
    began = time.monotonic()
    rto_ms = 0
    for _ in range(_ROUNDS):
        bench.desk.advance(_A_ROUND_S)
        _walk(bench, "send_notices")
        if bench.desk.taken and not rto_ms:
            rto_ms = milliseconds(began)
        if all(each in bench.desk.taken for each in tried):
            break
    taken = bench.desk.taken
    lost = sum(each not in taken for each in tried)
    return Drilled(
        fault=DrillFault.GATEWAY_DOWN,
        job=bench.job,
        injected=turned_away > 0,
        detected=GatewayUnavailable.code if turned_away else "none",
        rto_ms=rto_ms,
        rpo_records=lost,
        checks={
            "nobody-told-meanwhile": told_meanwhile == 0,
            "each-told-afterwards": bool(tried) and lost == 0,
            "nobody-told-twice": all(times == 1 for times in taken.values()),
            "on-record-first": set(taken) <= _attempts(bench),
        },
        figures={"turnedAway": turned_away, "messages": len(taken)},
    )


def _walk(bench: Bench, step: str) -> None:
    after = ""
    while True:
        done = getattr(bench.notices, step)(ChunkStep(job=bench.job, after=after))
        if done.stopped is not None or done.paused:
            raise LookupError(bench.job)
        if done.after is None:
            return
        after = done.after


def _attempts(bench: Bench, *states: str) -> set[str]:
    """Messages that are on record, under the ids that providers see; of these states, if any are named."""
    query = (
        select(TransferNoticeAttempt.id)
        .join(TransferNotice, col(TransferNotice.id) == col(TransferNoticeAttempt.notice))
        .where(col(TransferNotice.job) == bench.job)
    )
    if states:
        query = query.where(col(TransferNoticeAttempt.state).in_(states))
    with bench.database.read() as session:
        return {message_of_attempt(each) for each in session.exec(query)}


def _told(bench: Bench) -> int:
    with bench.database.read() as session:
        states = session.exec(select(TransferNotice.state).where(col(TransferNotice.job) == bench.job)).all()
    return sum(state in TOLD or state == "sent" for state in states)
