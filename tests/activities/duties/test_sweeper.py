"""Expired log-ins are dropped with an event, what still counts stays, and an idle sweep leaves no trace."""

from datetime import timedelta

from sqlmodel import col, func, select

from activities.duties.sweeper import Sweeper
from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from models.database.engine import Database
from models.tables.audit import AuditEvent
from models.tables.staff import DeniedToken
from tests.support.clock import FakeClock


async def test_expired_denials_go_and_live_ones_stay(database: Database, clock: FakeClock) -> None:
    deed = Deed(tenant="main", action="test", target="test", actor="test", at=clock())
    with unit_of_work(database, deed) as unit:
        unit.session.add(DeniedToken(jti="old", until=clock() - timedelta(seconds=1)))
        unit.session.add(DeniedToken(jti="live", until=clock() + timedelta(minutes=10)))
    sweeper = Sweeper(database)
    assert await sweeper.run_once(clock()) == 1
    assert await sweeper.run_once(clock()) == 0
    with database.read() as session:
        assert session.exec(select(DeniedToken.jti)).all() == ["live"]
        swept = select(func.count()).select_from(AuditEvent).where(col(AuditEvent.action) == "sessions.swept")
        assert session.exec(swept).one() == 1
