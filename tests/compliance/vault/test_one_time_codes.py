"""A one-time code confirms one thing, once, within five minutes and five tries, and is nowhere in clear."""

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlmodel import col, func, select

from compliance.audit.deeds import Deed, shown_hash
from compliance.audit.unit import unit_of_work
from compliance.vault.keyring import Vault
from compliance.vault.notice_secrets import open_secrets
from compliance.vault.one_time_codes import Confirming, issue_code, prove_code
from models.database.engine import Database
from models.domain.notices import NoticeChannel
from models.domain.one_time_codes import CodePurpose
from models.errors import CannotOpen, CodeRefused, TooManyRequests
from models.operations.one_time_codes import use_code
from models.tables.audit import AuditEvent
from models.tables.notices import Notice, OneTimeCode
from tests.support.clock import FakeClock
from tests.support.customers import TENANT, Counter

PLAN = shown_hash({"amountMinor": 3_000_000, "termMonths": 36})
OTHER_PLAN = shown_hash({"amountMinor": 3_000_000, "termMonths": 48})


class Signing:
    """A customer with a plan to confirm."""

    def __init__(self, database: Database, vault: Vault, clock: FakeClock) -> None:
        self.database, self.vault, self.clock = database, vault, clock
        counter = Counter(database, vault, clock)
        counter.open()
        self.customer = counter.customer()
        self.confirming = Confirming(
            tenant=TENANT,
            subject_id=self.customer.subject_id,
            case_token=self.customer.case_token,
            purpose=CodePurpose.SIGN_AGREEMENT,
            bound_to=PLAN,
            actor="lnk_test",
        )

    def issue(self, **changes: Any) -> str:
        """Ask for a code; returns the digits, as they stand in the sealed cell of the notice."""
        notice_id = issue_code(
            self.database,
            self.vault,
            replace(self.confirming, **changes),
            channel=NoticeChannel.SMS,
            locale="zh-CN",
            now=self.clock(),
        )
        with self.database.read() as session:
            notice = session.get_one(Notice, notice_id)
        opened = open_secrets(
            self.vault,
            tenant=TENANT,
            subject_id=notice.subject_id,
            notice_id=notice.id,
            cell=notice.secrets_cell,
        )
        return opened["code"]

    def prove(self, digits: str, **changes: Any) -> str:
        return prove_code(self.database, self.vault, replace(self.confirming, **changes), digits, now=self.clock())

    def use(self, code_id: str, *, bound_to: str = PLAN) -> None:
        deed = Deed(tenant=TENANT, action="agreement.signed", target="x", actor="lnk_test", at=self.clock())
        with unit_of_work(self.database, deed) as unit:
            use_code(unit.session, code_id, bound_to=bound_to, now=self.clock())

    def count(self, table: Any) -> int:
        with self.database.read() as session:
            return session.exec(select(func.count()).select_from(table)).one()


@pytest.fixture
def signing(database: Database, vault: Vault, clock: FakeClock) -> Signing:
    return Signing(database, vault, clock)


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(CodeRefused) as caught:
        call()
    return str(caught.value.params["reason"])


def wrong(digits: str) -> str:
    return f"{(int(digits) + 1) % 10**6:06d}"


def test_the_right_code_confirms_once(signing: Signing) -> None:
    digits = signing.issue()
    assert len(digits) == 6
    assert digits.isdigit()
    code_id = signing.prove(digits)
    signing.use(code_id)
    assert refused(lambda: signing.use(code_id)) == "used"
    assert refused(lambda: signing.prove(digits)) == "used"


def test_a_wrong_code_is_counted_and_the_sixth_try_is_none(signing: Signing) -> None:
    digits = signing.issue()
    for _ in range(5):
        assert refused(lambda: signing.prove(wrong(digits))) == "wrong"
    assert refused(lambda: signing.prove(digits)) == "tries"


def test_the_fifth_try_may_be_right(signing: Signing) -> None:
    digits = signing.issue()
    for _ in range(4):
        refused(lambda: signing.prove(wrong(digits)))
    signing.use(signing.prove(digits))


@pytest.mark.parametrize("entered", ["", "12345", "1234567", "abcdef", "１２３４５６", "x" * 1000])
def test_what_is_no_code_is_wrong(signing: Signing, entered: str) -> None:
    signing.issue()
    assert refused(lambda: signing.prove(entered)) == "wrong"


def test_a_code_lives_for_five_minutes_also_between_proof_and_use(signing: Signing, clock: FakeClock) -> None:
    digits = signing.issue()
    clock.advance(minutes=4, seconds=59)
    code_id = signing.prove(digits)
    clock.advance(seconds=1)
    assert refused(lambda: signing.use(code_id)) == "expired"
    assert refused(lambda: signing.prove(digits)) == "expired"


def test_a_code_confirms_what_it_was_sent_for_and_nothing_else(signing: Signing) -> None:
    digits = signing.issue()
    assert refused(lambda: signing.prove(digits, bound_to=OTHER_PLAN)) == "changed"
    assert refused(lambda: signing.prove(digits, purpose=CodePurpose.GRANT_MANDATE)) == "none"
    assert refused(lambda: signing.prove(digits, subject_id="sub_other")) == "none"
    code_id = signing.prove(digits)
    assert refused(lambda: signing.use(code_id, bound_to=OTHER_PLAN)) == "changed"
    signing.use(code_id)


def test_a_newer_code_ends_the_older_one(signing: Signing) -> None:
    first = signing.issue()
    second = signing.issue()
    while second == first:
        second = signing.issue()
    assert refused(lambda: signing.prove(first)) == "wrong"
    signing.use(signing.prove(second))
    assert refused(lambda: signing.use("otc_none")) == "none"


def test_five_codes_an_hour_whatever_for(signing: Signing, clock: FakeClock) -> None:
    for number in range(5):
        signing.issue(purpose=list(CodePurpose)[number % 3])
        clock.advance(minutes=6)
    with pytest.raises(TooManyRequests) as caught:
        signing.issue()
    assert caught.value.params["retryAfter"] == 30 * 60
    assert signing.count(OneTimeCode) == signing.count(Notice) == 5
    clock.advance(minutes=30)
    signing.issue()
    with pytest.raises(TooManyRequests):
        signing.issue()


def test_a_refused_act_leaves_the_code_unspent(signing: Signing) -> None:
    code_id = signing.prove(signing.issue())
    deed = Deed(tenant=TENANT, action="agreement.signed", target="x", actor="lnk_test", at=signing.clock())
    with pytest.raises(RuntimeError), unit_of_work(signing.database, deed) as unit:
        use_code(unit.session, code_id, bound_to=PLAN, now=signing.clock())
        raise RuntimeError
    signing.use(code_id)


def test_the_digits_are_nowhere_in_clear(signing: Signing) -> None:
    digits = signing.issue()
    refused(lambda: signing.prove(wrong(digits)))
    with signing.database.read() as session:
        code = session.exec(select(OneTimeCode)).one()
        notice = session.exec(select(Notice)).one()
        events = session.exec(select(AuditEvent.body).where(col(AuditEvent.action).startswith("code."))).all()
    assert len(code.code_mac) == 32
    assert digits.encode() not in (notice.secrets_cell or b"")
    assert digits not in repr(notice.params)
    assert len(events) == 2
    assert not any(f'"{digits}"' in body or f'"{wrong(digits)}"' in body for body in events)


def test_a_mac_moved_to_another_row_opens_nothing(signing: Signing) -> None:
    """Who may write the table but has no key cannot make a code of their own."""
    digits = signing.issue()
    with signing.database.read() as session:
        mac = session.exec(select(OneTimeCode.code_mac)).one()
    other = signing.issue()
    if other == digits:
        return
    deed = Deed(tenant=TENANT, action="test", target="x", actor="x", at=signing.clock())
    with unit_of_work(signing.database, deed) as unit:
        newest = unit.session.exec(select(OneTimeCode).order_by(col(OneTimeCode.serial).desc()).limit(1)).one()
        newest.code_mac = mac
    assert refused(lambda: signing.prove(digits)) == "wrong"


def test_a_cell_of_another_notice_does_not_open(signing: Signing) -> None:
    signing.issue()
    with signing.database.read() as session:
        notice = session.exec(select(Notice)).one()
    with pytest.raises(CannotOpen):
        open_secrets(
            signing.vault, tenant=TENANT, subject_id=notice.subject_id, notice_id="ntc_x", cell=notice.secrets_cell
        )


# At once --------------------------------------------------------------------------------------------------------------


def at_once(count: int, act: Callable[[], object]) -> list[object]:
    """Results, or exceptions, of threads that begin together."""
    barrier = threading.Barrier(count)
    results: list[object] = []

    def one() -> None:
        barrier.wait()
        try:
            results.append(act())
        except (CodeRefused, TooManyRequests) as error:
            results.append(error)

    threads = [threading.Thread(target=one) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == count
    return results


def test_of_many_that_spend_a_code_at_once_one_wins(signing: Signing) -> None:
    code_id = signing.prove(signing.issue())
    results = at_once(8, lambda: signing.use(code_id))
    assert [result for result in results if result is None] == [None]
    assert {str(error.params["reason"]) for error in results if isinstance(error, CodeRefused)} == {"used"}


def test_guesses_made_at_once_do_not_slip_past_five(signing: Signing) -> None:
    digits = signing.issue()
    results = at_once(12, lambda: signing.prove(wrong(digits)))
    reasons = [error.params["reason"] for error in results if isinstance(error, CodeRefused)]
    assert sorted(reasons) == ["tries"] * 7 + ["wrong"] * 5
    with signing.database.read() as session:
        tried = [
            '"result":"wrong"' in body
            for body in session.exec(select(AuditEvent.body).where(AuditEvent.action == "code.tried")).all()
        ]
    assert tried.count(True) == 5


def test_codes_asked_for_at_once_do_not_slip_past_the_rate(signing: Signing) -> None:
    results = at_once(12, signing.issue)
    made = [result for result in results if isinstance(result, str)]
    assert 1 <= len(made) <= 5
    assert signing.count(OneTimeCode) == signing.count(Notice) == len(made)
