"""`casework rules`: the whole registry, one rule, and a gate asked offline, with exit codes for scripts."""

import json
from pathlib import Path
from typing import Any

import pytest

from compliance.rules.facts import facts_needed, spelled_fact
from compliance.rules.registry import REGISTRY
from deploy.commands.cli import run_command
from models.domain.states import Gate
from tests.compliance.rules.world import WORLD


def facts_file(folder: Path, **changes: Any) -> Path:
    facts = {name: spelled_fact(value) for name, value in WORLD.items() if name in facts_needed(Gate.NEGOTIATION)}
    path = folder / "facts.json"
    path.write_text(json.dumps(facts | changes), encoding="utf-8")
    return path


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = run_command(["rules", *arguments])
    told = capsys.readouterr()
    return code, told.out, told.err


def evaluate(capsys: pytest.CaptureFixture[str], facts: Path, *more: str) -> tuple[int, str, str]:
    return run(capsys, "evaluate", "--gate", "negotiation", "--facts", str(facts), "--as-of", "2026-11-21", *more)


def test_list_shows_every_rule_of_the_registry(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "list", "--json")
    told = json.loads(out)
    assert code == 0
    assert sorted((each["ruleId"], each["effectiveFrom"]) for each in told["items"]) == sorted(
        (rule.id, rule.effective_from.isoformat()) for rule in REGISTRY
    )
    _, words, _ = run(capsys, "list")
    assert all(any(line.startswith(f"{rule.id} ") for line in words.splitlines()) for rule in REGISTRY)


def test_list_is_filtered_and_a_wrong_filter_names_the_choices(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "list", "--gate", "debit", "--provisional", "--in-force", "2026-11-21", "--json")
    assert code == 0
    assert {each["provisional"] for each in json.loads(out)["items"]} == {True}
    code, _, err = run(capsys, "list", "--gate", "debits")
    assert (code, "installments.debit" in err) == (2, True)
    assert run(capsys, "list", "--in-force", "2026-02-30")[0] == 2
    assert run(capsys, "list", "--severity", "block")[0] == 2


def test_show_tells_one_rule_in_all_its_versions_and_either_language(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "show", "AML-34c", "--json", "--locale", "zh-CN")
    told = json.loads(out)
    assert code == 0
    assert [each["effectiveTo"] for each in told["versions"]] == ["2024-12-31", None]
    assert told["versions"][1]["citation"]["law"] == "中华人民共和国反洗钱法"
    _, words, _ = run(capsys, "show", "CCM-70b")
    assert "parameter max_term_months = 60" in words
    assert run(capsys, "show", "CCM-70z")[0] == 65


def test_evaluate_ends_with_0_1_or_2(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, out, _ = evaluate(capsys, facts_file(tmp_path), "--json")
    assert (code, json.loads(out)["blocks"]) == (0, False)
    code, out, err = evaluate(capsys, facts_file(tmp_path, term_months=61), "--json")
    against = [each["ruleId"] for each in json.loads(out)["verdicts"] if each["blocks"]]
    assert (code, against) == (1, ["CCM-70b", "CCN22-TERM"])
    assert "CCM-70b" in err
    code, out, err = evaluate(capsys, facts_file(tmp_path, term_months="61", last_due=1), "--json")
    assert (code, out) == (2, "")
    assert "/facts/term_months" in err
    assert "CCM-70b" in err
    assert "whole number" in err
    assert "/facts/last_due" in err


def test_evaluate_says_reason_and_citation_in_words(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, out, _ = evaluate(capsys, facts_file(tmp_path, term_months=61), "--locale", "zh-CN")
    assert code == 1
    assert "商业银行信用卡业务监督管理办法, 第七十条" in out


def test_evaluate_under_a_policy_of_the_bank(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    policy = tmp_path / "strict.json"
    policy.write_text(json.dumps({"parameters": {"max_term_months": 24}}), encoding="utf-8")
    code, out, _ = evaluate(capsys, facts_file(tmp_path), "--policy", str(policy), "--json")
    assert (code, json.loads(out)["policyVersion"]) == (1, "strict")
    policy.write_text(json.dumps({"parameters": {"max_term_months": 72}}), encoding="utf-8")
    code, _, err = evaluate(capsys, facts_file(tmp_path), "--policy", str(policy))
    assert code == 2
    assert "CCM-70b" in err
    assert "60" in err


def test_the_form_of_a_gate_can_be_filled_in(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "evaluate", "--gate", "signing", "--facts-needed")
    assert code == 0
    assert set(json.loads(out)["facts"]) == set(facts_needed(Gate.SIGNING))


@pytest.mark.parametrize("content", ["", "[]", "no json", '{"term_months": 1, "term_months": 2}'])
def test_a_file_that_is_no_object_of_facts_ends_with_2(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, content: str
) -> None:
    path = tmp_path / "facts.json"
    path.write_text(content, encoding="utf-8")
    assert evaluate(capsys, path)[0] == 2
    assert evaluate(capsys, tmp_path / "none.json")[0] == 2
