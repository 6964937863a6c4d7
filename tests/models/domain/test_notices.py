"""What a notice may say, and at which hours what is overdue may be asked for."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.domain.application import HardshipCode
from models.domain.notices import (
    SHANGHAI,
    SPECS,
    NoticeKind,
    case_tail,
    check_params,
    check_secrets,
    contact_hour,
    education_for,
    message_id_of,
)
from models.domain.tokens import new_case_token


def test_every_kind_is_described() -> None:
    assert set(SPECS) == set(NoticeKind)


@pytest.mark.parametrize(
    ("here", "allowed"),
    [
        ("2026-11-23T08:00", "2026-11-23T08:00"),
        ("2026-11-23T21:59", "2026-11-23T21:59"),
        ("2026-11-23T22:00", "2026-11-24T08:00"),
        ("2026-11-30T23:59", "2026-12-01T08:00"),
        ("2026-11-23T00:00", "2026-11-23T08:00"),
        ("2026-11-23T07:59", "2026-11-23T08:00"),
    ],
)
def test_hours_of_contact_are_those_of_shanghai(here: str, allowed: str) -> None:
    now = datetime.fromisoformat(here).replace(tzinfo=SHANGHAI).astimezone(UTC)
    wanted = datetime.fromisoformat(allowed).replace(tzinfo=SHANGHAI)
    assert contact_hour(NoticeKind.MISSED_PAYMENT, now) == wanted
    assert contact_hour(NoticeKind.DUE_REMINDER, now) == now


@given(st.datetimes(min_value=datetime(2025, 1, 1), max_value=datetime(2030, 1, 1), timezones=st.just(UTC)))
def test_whenever_it_is_the_hour_is_allowed_and_less_than_half_a_day_away(now: datetime) -> None:
    at = contact_hour(NoticeKind.DEFAULT_WARNING, now)
    assert timedelta() <= at - now <= timedelta(hours=10)
    assert 8 <= at.astimezone(SHANGHAI).hour < 22


def test_the_providers_id_tells_nothing_and_stays() -> None:
    one = message_id_of(tenant="main", business_key="a/b/1")
    assert one == message_id_of(tenant="main", business_key="a/b/1")
    assert len(one) == 32
    assert (
        len(
            {
                one,
                message_id_of(tenant="main", business_key="a/b/2"),
                message_id_of(tenant="maina", business_key="/b/1"),
            }
        )
        == 3
    )


def test_each_hardship_has_material() -> None:
    assert len({education_for(code) for code in HardshipCode}) == len(HardshipCode)
    assert education_for("something-new") is NoticeKind.EDUCATION_OTHER


def test_the_tail_of_a_case_is_a_parameter() -> None:
    params = {"case": case_tail(new_case_token("main")), "date": "2026-12-01"}
    check_params(NoticeKind.SETTLED, params)
    for date in ("2026-13-01", "20261201", "2026-12-1", 20261201):
        with pytest.raises(ValueError, match="date of a notice settled"):
            check_params(NoticeKind.SETTLED, params | {"date": date})


@pytest.mark.parametrize("link", ["", "https://x\r\nBcc: y", "x" * 501])
def test_a_secret_that_would_break_a_line_is_refused_unread(link: str) -> None:
    with pytest.raises(ValueError, match="link of a notice") as caught:
        check_secrets(NoticeKind.SIGN_INVITATION, {"link": link})
    assert "Bcc" not in str(caught.value)
    with pytest.raises(ValueError, match="seals"):
        check_secrets(NoticeKind.SETTLED, {"link": "x"})
