"""`casework batch simulate`: the calendar of presentments with the reason of each date, in Chinese and in English."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from deploy.commands import batch_simulate, cli
from deploy.exits import CommandFailed, ExitCode
from models.domain.bank_calendar import days_of_year
from models.domain.batches.retrying.policy import DEFAULT_POLICY

_APP = typer.Typer()
_APP.callback()(lambda: None)
batch_simulate.register(_APP)
_RUN = CliRunner()
_ARGUMENTS = ["simulate", "--amount", "150000", "--due", "2026-03-10"]


def run(*more: str) -> str:
    done = _RUN.invoke(_APP, [*_ARGUMENTS, *more], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def refused(*more: str) -> CommandFailed:
    with pytest.raises(CommandFailed) as caught:
        _RUN.invoke(_APP, [*_ARGUMENTS, *more], catch_exceptions=False)
    return caught.value


def test_the_calendar_says_why_each_date_is_what_it_is() -> None:
    lines = run("--fail", "AM04,technical", "--salary-day", "15", "--language", "en").splitlines()
    assert lines[1:] == [
        "1. 2026-03-10 Tue  ¥1,500.00  comes back: AM04, not enough money",
        "   - first presentment on the due date 10 March 2026 [RETRY-DUE]",
        "2. 2026-03-16 Mon  ¥1,500.00  comes back: technical, technical failure",
        "   - on day 3 after the answer of 11 March 2026 (not enough money) [RETRY-REASON]",
        "   - waits for the salary of 15 March 2026 [RETRY-SALARY]",
        "   - 15 March 2026 is no bank day: the next one is 16 March 2026 [RETRY-BANK-DAY]",
        "3. 2026-03-18 Wed  ¥1,500.00  assumed to be taken",
        "   - on day 1 after the answer of 17 March 2026 (technical failure) [RETRY-REASON]",
        "End: collected. everything was taken [BATCH-ONCE]. Taken ¥1,500.00, open ¥0.00",
    ]
    assert "等到2026年3月15日发薪后再扣 [RETRY-SALARY]" in run("--fail", "AM04", "--salary-day", "15")


def test_json_holds_both_languages_and_the_hash_that_an_order_would_be_bound_to() -> None:
    told = json.loads(run("--fail", "AM04,MD01", "--json"))
    assert told["policy"] == {"version": DEFAULT_POLICY.version, "hash": DEFAULT_POLICY.hash}
    assert [each["on"] for each in told["attempts"]] == ["2026-03-10", "2026-03-16"]
    assert (told["end"]["state"], told["end"]["rule"], told["end"]["openMinor"]) == ("stopped", "RETRY-REASON", 150_000)
    assert told["end"]["reason"]["en"] == "not tried again after this refusal: no mandate"
    assert told["end"]["reason"]["zh-CN"] == "该失败原因不再扣款：无有效代扣授权"


def test_a_policy_and_a_calendar_of_ones_own_are_followed(tmp_path: Path) -> None:
    policy = tmp_path / "policy.json"
    policy.write_text(json.dumps(DEFAULT_POLICY.as_record() | {"attempts": 1, "cutOff": "17:00"}), encoding="utf-8")
    calendar = tmp_path / "2026.csv"
    days = ["date,state,reason"]
    days += [f"{day},{'closed' if day.isoformat() == '2026-03-11' else 'open'}," for day in days_of_year(2026)]
    calendar.write_text("\n".join(days), encoding="utf-8")
    told = json.loads(
        run(
            "--policy", str(policy), "--calendar", str(calendar), "--at", "2026-03-10T17:01", "--fail", "AM04", "--json"
        )
    )
    assert [each["on"] for each in told["attempts"]] == ["2026-03-12"]
    assert [step["key"] for step in told["attempts"][0]["steps"]] == [
        "retry-step.due", "retry-step.cut-off", "retry-step.bank-day",
    ]  # fmt: skip
    assert told["end"]["rule"] == "RETRY-CAP"


def test_a_date_beyond_the_announced_bank_days_is_not_guessed() -> None:
    done = _RUN.invoke(_APP, ["simulate", "--amount", "1", "--due", "2190-01-04", "--json"], catch_exceptions=False)
    told = json.loads(done.stdout)
    assert (told["attempts"], told["end"]["what"], told["end"]["rule"]) == ([], "wait", "RETRY-BANK-DAY")


def test_what_makes_no_sense_is_refused_with_the_field_and_the_fix(tmp_path: Path) -> None:
    policy = tmp_path / "policy.json"
    policy.write_text(json.dumps(DEFAULT_POLICY.as_record() | {"attempts": 0}), encoding="utf-8")
    invalid = refused("--policy", str(policy), "--language", "en")
    assert invalid.code is ExitCode.DATA
    assert "/attempts: too-small: The least is 1" in str(invalid)
    assert "insufficient-funds" in str(refused("--fail", "no money"))
    assert refused("--at", "soon").code is ExitCode.COMMAND_LINE
    assert refused("--valid-to", "soon").code is ExitCode.COMMAND_LINE
    assert refused("--language", "fr").code is ExitCode.COMMAND_LINE
    assert refused("--policy", str(tmp_path / "none")).code is ExitCode.DATA


def test_the_product_has_the_command() -> None:
    assert "simulate" in _RUN.invoke(cli.app, ["batch", "--help"]).output
