"""Data of a transfer job are opened only under a training grant that holds at that moment (培训准入)."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlmodel import delete

from compliance.transfers.training import SPONSOR, require_training, training_of
from models.database.engine import Database
from models.errors import TrainingMissing
from models.tables.transfer_grants import TransferGrant
from models.texts.render import LOCALES, has_text
from tests.support.training import trained
from tests.support.transfer_jobs import NOW, TARGET, recorded_job


@pytest.fixture
def opening(sqlite_database: Database, clock):
    """A job without grants; a way to grant, and one to ask what stands against opening (None: nothing)."""
    clock.set(NOW)
    with sqlite_database.write() as session:
        record = recorded_job(session)
        session.exec(delete(TransferGrant))
        job, staff = record.job.token, record.job.created_by

    def grant(**changes) -> None:
        fields = {"passed_at": clock() - timedelta(days=1), "valid_until": clock() + timedelta(days=1)} | changes
        with sqlite_database.write() as session:
            trained(session, job, staff, tenant=TARGET, **fields)

    def refused(staff_id: str | None = staff, of: str = job) -> str | None:
        try:
            require_training(sqlite_database, job=of, staff_id=staff_id, now=clock())
        except TrainingMissing as error:
            return str(error.params["because"])
        return None

    return grant, refused, staff, job


def test_without_training_nothing_is_opened(opening) -> None:
    _, refused, _, _ = opening
    assert refused() == "none"


def test_with_training_it_is_opened_until_the_last_moment(opening, clock) -> None:
    grant, refused, _, _ = opening
    grant()
    assert refused() is None
    clock.advance(days=1)
    assert refused() == "expired"


@pytest.mark.parametrize("lack", ["not-yet", "revoked", "somebody else's", "another job's"])
def test_a_grant_that_does_not_hold_opens_nothing(opening, clock, lack: str) -> None:
    grant, refused, _, _ = opening
    changes = {"not-yet": {"passed_at": clock() + timedelta(hours=1)}, "revoked": {"revoked_at": clock()}}
    grant(**changes.get(lack, {}))
    if lack in changes:
        assert refused() == lack
        return
    assert (refused("stf_other") if lack == "somebody else's" else refused(of="main.other")) == "none"


def test_the_jobs_own_steps_open_on_the_sponsors_grant_alone(opening) -> None:
    grant, refused, _, _ = opening
    grant()
    assert refused(SPONSOR) == "none"
    grant(is_sponsor=True)
    assert refused(SPONSOR) is None


def test_who_has_to_pass_is_the_last_sponsor_or_else_who_opened_the_job(
    opening, clock, sqlite_database: Database
) -> None:
    grant, _, staff, job = opening
    read: Callable = lambda: training_of(session, job=job, staff_id=SPONSOR, now=clock())  # noqa: E731
    with sqlite_database.read() as session:
        assert (read().staff_id, read().lack) == (staff, "none")
    grant(is_sponsor=True)
    until = clock() + timedelta(days=1)
    clock.advance(days=2)
    with sqlite_database.read() as session:
        assert (read().staff_id, read().lack, read().until) == (staff, "expired", until)


@pytest.mark.parametrize("lack", ["none", "expired", "revoked", "not-yet"])
def test_why_nothing_is_opened_is_said_in_words(lack: str) -> None:
    assert all(has_text(f"training-lack.{lack}", locale) for locale in LOCALES)
