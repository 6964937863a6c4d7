"""What each gate must ask, and that each of its blocking rules shuts it, with its citation in both languages."""

from typing import Any, Final

import pytest

from compliance.rules.evaluate import blocks, evaluate_gate
from compliance.rules.gates import GATES
from compliance.rules.registry import versions_of
from compliance.rules.results import Result, Severity
from models.domain.states import Gate
from models.texts.render import LOCALES, render
from tests.compliance.rules.example import TODAY
from tests.compliance.rules.examples import EXAMPLES
from tests.compliance.rules.world import WORLD, kept

# Rules by step as the sheet of provisions sets them down; `B` stops the step, `W` warns. A step of the sheet may be
# asked at several gates: at intake the core answers later than the documents.
STEPS: Final[dict[str, tuple[tuple[Gate, ...], str, str]]] = {
    "installment intake": (
        (Gate.INTAKE, Gate.BUREAU, Gate.DUE_DILIGENCE, Gate.NEEDS),
        "CCM-70a PIPL-13 PIPL-17 PIPL-28 PIPL-30 CRED-18 AML-28 AML-29", "PIPL-6 NFRA-CP-1",
    ),
    "installment negotiation": (
        (Gate.NEGOTIATION, Gate.DECISION),
        "CCM-70b CCN22-REINST CCN22-TERM CCN22-CASH CCN22-RANGE APR21-3 APR21-4 CC-670 CCM-57b PIPL-24 PIPL-55",
        "SPC-CONTRACT-65",
    ),
    "installment signing": (
        (Gate.SIGNING,),
        """
        CCM-70c CCN22-APPLY CCN22-DISC CCN22-SEP CCN22-MIN CCN22-LUMP CCN22-INT AIC26-FORM AIC26-SITE AIC26-ONLINE
        AIC26-PARTY APR21-1 CC-496 SPC-CONTRACT-10 ES-13 ES-14 CCM-70f CC-543 CC-544
        """,
        "CC-695 CITE-1",
    ),
    "installment activation": (
        (Gate.ACTIVATION,), "CC-490 CCM-70d CCM-70e-RECALL DDB-AUTH CRED-15", "",
    ),
    "installment debit": (
        (Gate.DEBIT,),
        "DDB-MATCH CCM-67 CCM-57a CCM-57b BATCH-ONCE BATCH-CUT WAGE-33 DDB-REVOKE", "",
    ),
    "installment change": ((Gate.CHANGE,), "CCN22-EARLY CC-677 CC-543 AIC26-OLD", ""),
    "collection contact": (
        (Gate.CONTACT,),
        """
        CCM-70e CCM-66 CCM-68a CCM-68b CCM-68c CCM-69a CCM-69b COLL-CBA-HOURS COLL-CBA-DIAL COLL-CBA-3P COLL-CBA-SRC
        COLL-CBA-BAN COLL-CBA-REC COLL-GB-CALLS COLL-GB-WHO PIPL-21 CC-1033
        """,
        "",
    ),
    "installment close": (
        (Gate.CLOSE,), "CCM-68c CCM-70f-KEEP PIPL-19 PIPL-47 AML-34c CCM-70d-RELEASE", "",
    ),
    "batch cohort": ((Gate.BATCH_COHORT,), "PIPL-13 PIPL-55 AML-40 BATCH-EXCLUDE", "PIPL-6 AFR-18"),
    "batch rule set": ((Gate.BATCH_RULE_SET,), "CONV-1 CONV-2 BATCH-RULES", ""),
    "batch run": (
        (Gate.BATCH_RUN_ROW, Gate.BATCH_PAYROLL_ROW, Gate.BATCH_AFTER_RUN),
        """
        DDB-MATCH DDB-LIMIT CCM-57a BATCH-ONCE BATCH-CUT WAGE-P6 WAGE-P7 WAGE-P15 WAGE-31 WAGE-33 CBL-29
        BATCH-OUTCOME
        """,
        "",
    ),
    "batch after the run": (
        (Gate.BATCH_AFTER_RUN,), "DDB-REVOKE-NOTICE CCM-61 SPC-CARD-3 BATCH-SUM", "",
    ),
    "batch dispute": (
        (Gate.BATCH_DISPUTE,), "CCM-69b-MARK CRED-25 PIPL-46", "BATCH-DISP BATCH-COMPL",
    ),
    "batch export": (
        (Gate.BATCH_EXPORT,), "NDSR-12 JRT171-TRANS JRT171-STORE JRT171-C2", "CRIM-5 JRT171-SHOW",
    ),
    "migration classify": (
        (Gate.TRANSFER_CLASSIFY,),
        "MIG-CLASS MIG-A MIG-B MIG-C MIG-D MIG-E MIG-F MIG-G CO-32 CO-34 REG-24 TAX-16 TAX-48", "",
    ),
    "migration plan": (
        (Gate.TRANSFER_PLAN,), "PIPL-55 PIPL-56 NFRA-DS-1 NDSR-28 NDSR-32 PIPL-21-CONTRACTOR DSL-21", "CRYPT-38",
    ),
    "migration backup": ((Gate.TRANSFER_BACKUP,), "NDSR-9 JRT171-STORE MIG-RESTORE", ""),
    "migration notify": (
        (Gate.TRANSFER_NOTIFY,), "PIPL-22 PIPL-23 CC-546 CC-555 AML-34b CC-137 NDSR-22", "CC-696",
    ),
    "migration update": ((Gate.TRANSFER_UPDATE,), "PIPL-8 AML-29 AML-31 PIPL-46 MIG-DIFF", ""),
    "migration cross-border": (
        (Gate.TRANSFER_CROSS_BORDER,), "PIPL-38 PIPL-39 PIPL-40 PIPL-41 XB-5 XB-7 XB-8 XB-9 DSL-36", "",
    ),
    "migration after cut-over": ((Gate.TRANSFER_AFTER_CUT_OVER,), "PIPL-47-OLD-STORE NDSR-14", ""),
    "migration audit": (
        (Gate.TRANSFER_AUDIT,), "AUD-4 AUD-12 AUD-guide PIPL-54 PIPL-56 NDSR-12", "",
    ),
    "incident": (
        (Gate.INCIDENT,), "PIPL-57 NDSR-11 INC-CAC INC-PBOC INC-NFRA INC-NDSR-10 INC-PIPL", "",
    ),
}  # fmt: skip


@pytest.mark.parametrize("step", STEPS)
def test_a_step_asks_what_the_sheet_sets_down_as_severely(step: str) -> None:
    gates, blocking, warning = STEPS[step]
    asked = {rule_id for gate in gates for rule_id in GATES[gate]}
    severity = {rule_id: versions_of(rule_id)[-1].severity for rule_id in asked}
    assert {rule_id: severity.get(rule_id) for rule_id in blocking.split()} == dict.fromkeys(
        blocking.split(), Severity.BLOCK
    )
    assert {rule_id: severity.get(rule_id) for rule_id in warning.split()} == dict.fromkeys(
        warning.split(), Severity.WARN
    )


def breaking(rule_id: str) -> dict[str, Any]:
    """The facts of a case in which one rule applies and is broken."""
    found = next(each for each in EXAMPLES if (each.rule_id, each.result, each.as_of) == (rule_id, Result.FAIL, TODAY))
    return {**kept(rule_id), **found.changes}


@pytest.mark.parametrize(("gate", "rule_id"), [
    (gate, rule_id)
    for gate in Gate
    for rule_id in GATES[gate]
    if versions_of(rule_id)[-1].severity is Severity.BLOCK
])  # fmt: skip
def test_one_broken_rule_shuts_its_gate_and_names_its_law(gate: Gate, rule_id: str) -> None:
    verdicts = {each.rule_id: each for each in evaluate_gate(gate, {**WORLD, **breaking(rule_id)}, as_of=TODAY)}
    verdict = verdicts[rule_id]
    assert verdict.result is Result.FAIL
    assert blocks(result=verdict.result, severity=verdict.severity)
    for locale in LOCALES:
        citation = render(verdict.citation_key, {}, locale)
        law, article = (
            (verdict.citation.law_zh, verdict.citation.article_zh)
            if locale == "zh-CN"
            else (verdict.citation.law_en, verdict.citation.article_en)
        )
        assert law in citation
        assert article in citation
        assert render(verdict.reason_key, verdict.text_params, locale)


@pytest.mark.parametrize("gate", Gate)
def test_no_gate_asks_a_rule_twice(gate: Gate) -> None:
    assert len(set(GATES[gate])) == len(GATES[gate])
