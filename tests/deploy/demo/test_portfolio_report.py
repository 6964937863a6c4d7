"""What the portfolio's report counts, and which of its checks see a client who came to no end or without a reason."""

from pathlib import Path
from typing import Any

import pytest

from deploy.demo.checks import Check, Evidence
from deploy.demo.clients import read_clients
from deploy.demo.clients_book import Applicant, applicants_of
from deploy.demo.office import Unexpected
from deploy.demo.plans import IN_SERVICE
from deploy.demo.portfolio import report_of
from deploy.demo.portfolio_case import NOT_TAKEN, STUCK, ClientCase, Refusal, plan_of
from deploy.demo.portfolio_checks import authority_holds, every_refusal_has_its_reason
from tests.support.client_files import client_file

_CITED = Refusal(rule="CCM-70a", reason="debt-within-capacity", citation="第七十条")


@pytest.fixture(scope="module")
def applicants(tmp_path_factory: pytest.TempPathFactory) -> list[Applicant]:
    path = client_file(
        tmp_path_factory.mktemp("clients") / "c.csv", [{"AGE": 60}, {}, {}, {"BILL_AMT1": -5}, {"BILL_AMT1": 9}]
    )
    return applicants_of(list(read_clients(path)), seed=1)


def played(applicant: Applicant, **what: Any) -> ClientCase:
    nobody: Any = None
    case = ClientCase(nobody, plan_of(applicant), applicant.row, nobody, applicant=applicant, approvers=nobody)
    for name, value in what.items():
        setattr(case, name, value)
    return case


@pytest.fixture
def cases(applicants: list[Applicant]) -> list[ClientCase]:
    return [
        played(applicants[0], outcome=IN_SERVICE, token="a", family="step-up", granted_minor=4_700_000, seconds=9.0),
        played(applicants[1], outcome="rejected", token="b", reason="capacity-too-low", seconds=3.0),
        played(applicants[2], outcome="rejected", token="c", reason="able-to-repay", refusals=[_CITED], seconds=5.0),
        played(applicants[3], outcome=NOT_TAKEN, reason="form-invalid", refusals=[Refusal(rule="/x", reason="small")]),
    ]


def evidence(cases: list[ClientCase]) -> Evidence:
    nobody: Any = None
    return Evidence(office=nobody, lives=list(cases), data=Path("data"), book=Path("book.csv"))


def test_every_client_is_counted_by_end_and_reason(cases: list[ClientCase]) -> None:
    report = report_of(cases, checks=[Check(name="one", holds=False, seen="")], seconds=12.34)
    assert report.ends == {"rejected": 2, IN_SERVICE: 1, NOT_TAKEN: 1}
    assert report.reasons == {
        "rejected: capacity-too-low": 1,
        "rejected: able-to-repay (CCM-70a: debt-within-capacity)": 1,
        "not-taken: form-invalid (/x: small)": 1,
    }
    assert (report.families, report.signed) == ({"step-up": 1}, {"paper": 1})
    assert (report.owed_minor, report.restructured_minor) == (3 * 4_700_000, 4_700_000)
    assert report.seconds_per_case["median"] == 4.0
    assert report.checks_failed == 1 == report.as_json()["checks_failed"]
    assert [case["citations"] for case in report.as_json()["cases"]] == [[], [], ["第七十条"], []]


async def test_a_refusal_without_reason_or_citation_is_seen(cases: list[ClientCase]) -> None:
    assert (await every_refusal_has_its_reason(evidence(cases))).holds
    cases[1].reason = None
    assert not (await every_refusal_has_its_reason(evidence(cases))).holds
    cases[1].reason = "capacity-too-low"
    cases[2].refusals = [Refusal(rule="CCM-70a", reason="debt-within-capacity")]
    assert not (await every_refusal_has_its_reason(evidence(cases))).holds


async def test_an_approval_beyond_authority_that_went_through_is_seen(cases: list[ClientCase]) -> None:
    cases[0].seen.update({"beyond-authority-tried": 1, "beyond-authority-refused": 1})
    assert (await authority_holds(evidence(cases))).holds
    cases[0].seen.update({"beyond-authority-tried": 1})
    assert not (await authority_holds(evidence(cases))).holds


async def test_what_nobody_expected_is_an_end_of_its_own(applicants: list[Applicant]) -> None:
    case = played(applicants[1])

    async def refuse() -> None:
        raise Unexpected("POST /v1/installment-cases: 500")

    case.apply = refuse  # type: ignore[method-assign]
    await case.play()
    assert (case.outcome, case.reason) == (STUCK, "POST /v1/installment-cases: 500")
