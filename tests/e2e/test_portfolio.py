"""A few clients of a file on the embedded stack: signed through the link, on paper, refused, and not even taken."""

from pathlib import Path

import pytest
from rich.console import Console

from deploy.demo.plans import IN_SERVICE
from deploy.demo.portfolio import play_portfolio
from deploy.demo.portfolio_case import NOT_TAKEN
from tests.support.client_files import client_file

_WELL_OFF = {"LIMIT_BAL": 500_000, "EDUCATION": 1, "MARRIAGE": 2}


@pytest.mark.e2e
@pytest.mark.long
@pytest.mark.timeout(400)
async def test_every_client_comes_to_an_end_that_has_its_reason(tmp_path: Path) -> None:
    lines = [
        _WELL_OFF | {"BILL_AMT1": 60_000},
        _WELL_OFF | {"BILL_AMT1": 60_000, "AGE": 58},
        {"BILL_AMT1": -500},
        {"LIMIT_BAL": 20_000, "BILL_AMT1": 900_000, "EDUCATION": 3},
        {"PAY_0": 1},
    ]
    clients = client_file(tmp_path / "clients.csv", lines)
    (tmp_path / "demo").mkdir()
    report = await play_portfolio(tmp_path / "demo", Console(quiet=True), clients=clients)
    assert [check.name for check in report.checks if not check.holds] == []
    assert report.ends == {IN_SERVICE: 2, NOT_TAKEN: 1, "rejected": 1}
    assert [(end.client, end.signed, end.granted_minor) for end in report.cases if end.end == IN_SERVICE] == [
        (1, "link", 6_000_000),
        (2, "paper", 6_000_000),
    ]
    assert [end.reason for end in report.cases if end.end != IN_SERVICE] == ["form-invalid", "capacity-too-low"]
