"""After a restore, jobs that have not ended are started again under their old ids; ended ones are left alone."""

from sqlmodel import col, select

from models.database.engine import Database
from models.domain.ids import transfer_workflow_id
from models.operations import outbox
from models.tables.platform import OutboxEntry
from tests.support.transfer_jobs import NOW, recorded_job


def test_open_jobs_are_started_again_and_ended_ones_are_not(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        going, ended = recorded_job(session).job, recorded_job(session).job
        ended.stage = "ended"
        session.add(ended)
        for job in (going, ended):
            outbox.close(session, kind=outbox.OutboxKind.START, business_key=job.token, now=NOW)
        session.flush()
        outbox.requeue_open(session, now=NOW)
        waiting = session.exec(select(OutboxEntry.workflow_id).where(col(OutboxEntry.done_at).is_(None))).all()
        assert waiting == [transfer_workflow_id(going.token)]
