"""The signing desk with real paper, real seals and both databases: each step once, however often it is repeated."""

import hashlib
from datetime import date, timedelta
from io import BytesIO
from typing import Any

import pypdfium2
import pytest
from pyhanko.pdf_utils.reader import PdfFileReader
from sqlmodel import col, select

from activities.documents.facts import facts_of
from activities.installments import signing_steps
from compliance.rules.evaluate import evaluate_gate
from compliance.rules.installments.aic_26 import READING_SECONDS as RULE_SECONDS
from compliance.vault.files import FileAddress
from compliance.vault.notice_secrets import open_secrets
from models.contracts.agreements import (
    CloseInput,
    InviteInput,
    PrepareAgreementInput,
    SealAgreementInput,
)
from models.domain.plans.negotiation import Family
from models.domain.states import DecisionState, Gate, Outcome
from models.domain.tokens import new_token, uuid7
from models.errors import NotFound, SubjectShredded, WrongState
from models.operations.signing import READING_SECONDS
from models.queries.agreement_facts import agreement_facts
from models.queries.signing import chosen_offer
from models.tables.agreements import Agreement, AgreementEvent, AgreementText, Mandate, Signature
from models.tables.audit import AuditEvent
from models.tables.installments import CaseDocument, InstallmentCase
from models.tables.notices import Notice
from models.tables.parties import CustomerLink
from models.tables.tasks import Decision
from tests.activities.documents.contents import agreement, cost_statement
from tests.support.agreeing import COMPLETE, FakeSigning
from tests.support.applications import CARD, CLEAR_VALUES, ID_NUMBER, PERSON
from tests.support.clock import FakeClock
from tests.support.signing import LINKS_URL, TENANT, SigningBench


class Killed(BaseException):
    """The process ends here."""


def found(bench: SigningBench, table: type[Any], token: str) -> list[Any]:
    with bench.database.read() as session:
        return list(session.exec(select(table).where(table.case_token == token).order_by(table.id)).all())


def subject_of(bench: SigningBench, token: str) -> str:
    with bench.database.read() as session:
        return session.get_one(InstallmentCase, token).subject_id


def content(bench: SigningBench, document: CaseDocument) -> bytes:
    return bench.desk._shelf().read(FileAddress(document.tenant, document.subject_id, document.id))


def words(pdf: bytes) -> str:
    with pypdfium2.PdfDocument(pdf) as document:
        return "".join(page.get_textpage().get_text_bounded() for page in document).replace("\r\n", "")


def files(bench: SigningBench) -> list[str]:
    return sorted(path.name for path in bench.desk.files_root.rglob("*") if path.is_file())


def decided(bench: SigningBench, token: str, outcome: Outcome, **form: Any) -> str:
    decision = Decision(
        id=uuid7(bench.clock()),
        tenant=TENANT,
        workflow_id=f"installments/{token}",
        case_token=token,
        outcome=outcome,
        form=form,
        state=DecisionState.APPLIED,
        created_at=bench.clock(),
        settled_at=bench.clock(),
    )
    decision_id = decision.id
    bench.write(decision)
    return decision_id


def signed(bench: SigningBench, token: str) -> str:
    """The customer has signed through the link: the cost statement first, the agreement a minute later."""
    now, decision_id = bench.clock(), decided(bench, token, Outcome.SIGN)
    (text,) = found(bench, AgreementText, token)
    bench.write(
        Signature(
            id=new_token("sig"),
            tenant=TENANT,
            case_token=token,
            subject_id=subject_of(bench, token),
            method="electronic",
            plan_hash=text.plan_hash,
            text_id=text.id,
            reading_seconds=40,
            cost_confirmed_at=now - timedelta(minutes=1),
            code_id=new_token("otc"),
            decision_id=decision_id,
            signed_at=now,
        )
    )
    return decision_id


def mandate_of_an_earlier_signature(bench: SigningBench, token: str) -> Mandate:
    return Mandate(
        id=new_token("mdt"),
        tenant=TENANT,
        subject_id=subject_of(bench, token),
        case_token=token,
        account_cell=b"-",
        holder_cell=b"-",
        profile="generic-cny",
        purpose="installment-agreement",
        limit_minor=1,
        signed_on=date(2026, 11, 23),
        valid_to=date(2030, 1, 1),
        created_at=bench.clock(),
    )


def verdicts(bench: SigningBench, token: str, gate: Gate = Gate.SIGNING) -> dict[str, str]:
    with bench.database.read() as session:
        case = session.get_one(InstallmentCase, token)
        facts = agreement_facts(session, gate=gate, case=case)
    return {
        one.rule_id: f"{one.result}/{one.reason}"
        for one in evaluate_gate(gate, facts, as_of=date(2026, 11, 23))
        if one.result not in ("PASS", "NOT_APPLICABLE")
    }


def test_what_is_printed_is_the_plan_that_was_chosen_and_names_the_customer(bench: SigningBench) -> None:
    token = bench.case()
    bench.print(token)
    (text,) = found(bench, AgreementText, token)
    documents = {row.kind: row for row in found(bench, CaseDocument, token)}
    assert set(documents) == {"agreement", "cost-statement", "paper-agreement", "paper-cost-statement"}
    paper = words(content(bench, documents["agreement"]))
    for said in (PERSON["name"], ID_NUMBER, PERSON["mobile"], "30,000.00", "风险提示", text.plan_hash[:12]):
        assert said in paper
    assert CARD not in paper
    by_hand = words(content(bench, documents["paper-agreement"]))
    assert "一次性验证码" in paper
    assert "一次性验证码" not in by_hand  # nobody signs a paper by a code
    assert "电子签" not in by_hand
    assert "另行授权" not in by_hand  # nor authorises debits on it
    assert "亲笔抄写" in by_hand
    assert "电子签章" not in words(content(bench, documents["paper-cost-statement"]))
    statement = words(content(bench, documents["cost-statement"]))
    assert "逾期利息" in statement
    assert "18.25%" in statement
    sealed = PdfFileReader(BytesIO(content(bench, documents["cost-statement"]))).embedded_signatures
    assert len(sealed) == 1  # the bank's word bears the seal when it is read
    for file in bench.desk.files_root.rglob("*"):
        if file.is_file():
            assert b"%PDF" not in file.read_bytes()


def test_every_rule_of_signing_passes_for_what_the_desk_leaves(bench: SigningBench, clock: FakeClock) -> None:
    token = bench.case()
    bench.invited(token)
    clock.advance(minutes=5)
    decision_id = signed(bench, token)
    assert set(verdicts(bench, token)) == {"ES-13", "ES-14"}  # nothing is sealed yet
    bench.desk.seal_agreement(SealAgreementInput(case_token=token, decision_id=decision_id))
    assert verdicts(bench, token) == {}


@pytest.mark.parametrize(
    "family", [Family.STEP_UP, Family.INTEREST_FREE, Family.INTEREST_PAUSE, Family.PRINCIPAL_FIRST]
)
def test_each_family_of_plans_can_be_printed(sqlite_bench: SigningBench, family: Family) -> None:
    token = sqlite_bench.case(family=family)
    sqlite_bench.print(token)
    (text,) = found(sqlite_bench, AgreementText, token)
    assert text.facts["statement_fields"] == COMPLETE["statement_fields"]
    # Whatever a plan calls the price of the money: on paper it is interest, and no fee stands beside it (CCN22-INT).
    assert text.facts["interest_charge"] == "charged"
    assert text.facts["other_fees_charge"] == "not-charged"
    assert text.facts["funds_cost_shown_as"] == "interest"


def test_a_step_that_is_repeated_leaves_what_it_left(bench: SigningBench, clock: FakeClock) -> None:
    token = bench.case()
    printing, inviting = PrepareAgreementInput(case_token=token, round=1), InviteInput(case_token=token, round=1)
    first = bench.desk.prepare_agreement(printing)
    bench.desk.invite(inviting)
    clock.advance(days=1)
    assert bench.desk.prepare_agreement(printing) == first
    bench.desk.invite(inviting)
    decision_id = signed(bench, token)
    sealing = SealAgreementInput(case_token=token, decision_id=decision_id)
    bench.desk.seal_agreement(sealing)
    before = {
        table: found(bench, table, token) for table in (CaseDocument, AgreementText, Signature, Notice, CustomerLink)
    }
    clock.advance(days=1)
    bench.desk.seal_agreement(sealing)
    for table, rows in before.items():
        assert [row.model_dump() for row in found(bench, table, token)] == [row.model_dump() for row in rows]
    assert [len(rows) for rows in before.values()] == [5, 1, 1, 1, 1]
    assert files(bench) == sorted(row.id for row in before[CaseDocument])


@pytest.mark.parametrize("step", ["prepare", "seal"])
def test_a_step_killed_between_file_and_row_finds_its_file_again(
    bench: SigningBench, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    token = bench.case()

    def run() -> None:
        if step == "prepare":
            bench.print(token)
        else:
            bench.desk.seal_agreement(SealAgreementInput(case_token=token, decision_id=decision_id))

    if step == "seal":
        bench.print(token)
        decision_id = signed(bench, token)

    known = set(files(bench))

    def killed(*_: Any, **__: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(signing_steps, "add_document", killed)
        with pytest.raises(Killed):
            run()
    left = {path: path.read_bytes() for path in bench.desk.files_root.rglob("*") if path.is_file()}
    orphan = next(path for path in left if path.name not in known)
    orphan.with_name(f".{orphan.name}.0123456789abcdef.draft").write_bytes(b"half a file")
    clock.advance(days=2)
    run()
    documents = found(bench, CaseDocument, token)
    assert files(bench) == sorted(row.id for row in documents)
    for path, before in left.items():
        assert path.read_bytes() == before
    for row in documents:
        path = bench.desk.files_root / TENANT / row.id
        assert hashlib.sha256(path.read_bytes()).hexdigest() == row.digest
        assert content(bench, row).startswith(b"%PDF")


def test_the_sealed_agreement_is_what_was_read_with_a_seal_behind_it(bench: SigningBench) -> None:
    token = bench.case()
    bench.print(token)
    decision_id = signed(bench, token)
    bench.desk.seal_agreement(SealAgreementInput(case_token=token, decision_id=decision_id))
    documents = {row.kind: row for row in found(bench, CaseDocument, token)}
    (signature,) = found(bench, Signature, token)
    assert signature.sealed_document_id == documents["sealed-agreement"].id
    sealed = content(bench, documents["sealed-agreement"])
    assert sealed.startswith(content(bench, documents["agreement"]))
    assert len(PdfFileReader(BytesIO(sealed)).embedded_signatures) == 1
    with bench.database.read() as session:
        event = session.exec(select(AuditEvent).where(col(AuditEvent.action) == "agreement.sealed")).one()
    assert documents["sealed-agreement"].digest in event.body
    assert hashlib.sha256(sealed).hexdigest() in event.body


def test_a_signature_on_paper_stands_for_the_scan_that_was_registered(bench: SigningBench, clock: FakeClock) -> None:
    token = bench.case()
    bench.print(token)
    scan = CaseDocument(
        id=new_token("doc"),
        tenant=TENANT,
        case_token=token,
        subject_id=subject_of(bench, token),
        kind="signed-paper",
        media_type="application/pdf",
        size_bytes=1,
        digest="0" * 64,
        added_by="test",
        created_at=clock(),
    )
    scan_id = scan.id
    bench.write(scan)
    clock.advance(hours=1)
    decision_id = decided(bench, token, Outcome.PAPER, document=scan_id)
    bench.write(mandate_of_an_earlier_signature(bench, token))
    for _ in range(2):
        bench.desk.seal_agreement(SealAgreementInput(case_token=token, decision_id=decision_id))
    (signature,) = found(bench, Signature, token)
    assert (signature.method, signature.paper_document_id, signature.decision_id) == ("paper", scan_id, decision_id)
    assert signature.sealed_document_id is not None
    (mandate,) = found(bench, Mandate, token)
    assert mandate.revoked_at is not None
    assert verdicts(bench, token) == {}
    documents = {row.kind: row for row in found(bench, CaseDocument, token)}
    sealed = content(bench, documents["sealed-agreement"])
    assert sealed.startswith(content(bench, documents["paper-agreement"]))  # the words that were signed, not others


@pytest.mark.parametrize("of", ["nothing", "another outcome", "another case", "no scan"])
def test_nothing_is_sealed_that_nobody_signed(sqlite_bench: SigningBench, of: str) -> None:
    token = sqlite_bench.case()
    sqlite_bench.print(token)
    if of == "nothing":
        decision_id = uuid7(sqlite_bench.clock())
    elif of == "another case":
        decision_id = decided(sqlite_bench, sqlite_bench.case(), Outcome.PAPER, document="doc_x")
    else:
        outcome = Outcome.PAPER if of == "no scan" else Outcome.RESEND
        decision_id = decided(sqlite_bench, token, outcome, document="doc_x")
    with pytest.raises((NotFound, WrongState)):
        sqlite_bench.desk.seal_agreement(SealAgreementInput(case_token=token, decision_id=decision_id))
    assert len(files(sqlite_bench)) == 4


def test_the_invitation_holds_a_link_and_ends_the_one_before(bench: SigningBench, clock: FakeClock) -> None:
    token = bench.case()
    bench.invited(token)
    clock.advance(days=1)
    bench.invited(token, round=2)
    links = sorted(found(bench, CustomerLink, token), key=lambda link: link.created_at)
    assert [link.purpose for link in links] == ["signing", "signing"]
    assert links[0].used_at is not None
    assert links[1].used_at is None
    notices = sorted(found(bench, Notice, token), key=lambda notice: notice.created_at)
    assert [notice.business_key for notice in notices] == [f"invite/{token}/{number}" for number in (1, 2)]
    secret = open_secrets(
        bench.vault,
        tenant=TENANT,
        subject_id=notices[1].subject_id,
        notice_id=notices[1].id,
        cell=notices[1].secrets_cell,
    )
    assert secret["link"].startswith(f"{LINKS_URL}/v1/links/")
    assert notices[1].params["amount"] == 3_000_000
    assert len(found(bench, AgreementText, token)) == 2


def test_the_letter_says_what_was_paid_and_is_announced_once(bench: SigningBench, clock: FakeClock) -> None:
    token = bench.case()
    with pytest.raises(WrongState):
        bench.desk.close_letter(CloseInput(case_token=token))
    _closed_agreement(bench, token, clock)
    for _ in range(2):
        bench.desk.close_letter(CloseInput(case_token=token))
    (letter,) = found(bench, CaseDocument, token)
    (notice,) = found(bench, Notice, token)
    (link,) = found(bench, CustomerLink, token)
    assert (letter.kind, notice.kind, link.purpose) == ("close-letter", "close-letter-ready", "progress")
    said = words(content(bench, letter))
    assert "31,000.00" in said  # two payments, one of which came back
    assert PERSON["name"] in said
    assert ID_NUMBER not in said


def test_who_was_erased_gets_no_paper(sqlite_bench: SigningBench) -> None:
    token = sqlite_bench.case()
    sqlite_bench.vault.shred_subject(tenant=TENANT, subject_id=subject_of(sqlite_bench, token))
    with pytest.raises(SubjectShredded):
        sqlite_bench.print(token)
    assert files(sqlite_bench) == []


def test_what_is_not_known_is_said_to_be_so(sqlite_bench: SigningBench) -> None:
    token = sqlite_bench.case(address=False, mobile=False)
    sqlite_bench.print(token)
    paper = next(row for row in found(sqlite_bench, CaseDocument, token) if row.kind == "agreement")
    said = words(content(sqlite_bench, paper))
    assert "未提供" in said
    assert "卡片背面所示号码" in said


def test_nobody_stands_in_the_clear_in_files_rows_or_events(sqlite_bench: SigningBench) -> None:
    bench = sqlite_bench
    token = bench.case()
    bench.invited(token)
    bench.desk.seal_agreement(SealAgreementInput(case_token=token, decision_id=signed(bench, token)))
    with bench.database.read() as session:
        bodies = "".join(session.exec(select(AuditEvent.body)).all())
        texts = repr(session.exec(select(AgreementText)).all()) + repr(session.exec(select(Notice)).all())
    kept = b"".join(path.read_bytes() for path in bench.desk.files_root.rglob("*") if path.is_file())
    for value in CLEAR_VALUES:
        assert value not in bodies
        assert value not in texts
        assert value.encode() not in kept
    assert "/v1/links/" not in bodies + texts


def test_the_fake_of_workflow_tests_leaves_the_same_kinds_of_rows(sqlite_bench: SigningBench) -> None:
    """What the two desks leave differs in ids, times and digests only."""
    left = []
    for desk in (sqlite_bench.desk, FakeSigning(sqlite_bench.database, sqlite_bench.clock)):
        token = sqlite_bench.case()
        prepared = desk.prepare_agreement(PrepareAgreementInput(case_token=token, round=1))
        desk.invite(InviteInput(case_token=token, round=1))
        decision_id = signed(sqlite_bench, token)
        desk.seal_agreement(SealAgreementInput(case_token=token, decision_id=decision_id))
        (text,) = found(sqlite_bench, AgreementText, token)
        (signature,) = found(sqlite_bench, Signature, token)
        kinds = {row.id: (row.kind, row.media_type, row.added_by) for row in found(sqlite_bench, CaseDocument, token)}
        assert text.business_key == f"text/{token}/1"
        left.append(
            (
                sorted(kinds.values()),
                kinds[prepared.agreement_document_id],
                kinds[prepared.cost_document_id],
                kinds[signature.sealed_document_id],
                sorted(text.facts),
                (text.agreement_document_id, text.cost_document_id)
                == (prepared.agreement_document_id, prepared.cost_document_id),
            )
        )
    assert left[0] == left[1]


def test_facts_follow_the_paper() -> None:
    facts = facts_of(agreement(), cost_statement())
    assert facts["agreement_contents"] == COMPLETE["agreement_contents"]
    assert facts["disclosed_items"] == ["breach-liability"]  # the other paragraphs are not in that agreement
    assert "debit-mandate" in facts["major_clauses"]
    bare = facts_of(agreement(mandate=None), cost_statement(contingent=(), items=()))
    assert {"breach-items", "item-method"} & set(bare["statement_fields"]) == set()
    assert "debit-mandate" not in bare["major_clauses"]


def test_the_product_reads_as_long_as_the_rule_asks() -> None:
    assert READING_SECONDS == RULE_SECONDS


def _closed_agreement(bench: SigningBench, token: str, clock: FakeClock) -> None:
    with bench.database.read() as session:
        case = session.get_one(InstallmentCase, token)
        offer_id, plan_hash = _offer(session, token)
    agreement_id = new_token("agr")
    bench.write(
        Agreement(
            id=agreement_id,
            tenant=TENANT,
            case_token=token,
            subject_id=case.subject_id,
            offer_id=offer_id,
            plan_hash=plan_hash,
            currency="CNY",
            principal_minor=3_000_000,
            start=date(2026, 11, 23),
            terms={},
            signed_at=clock(),
            status="settled",
            created_at=clock(),
            closed_on=date(2027, 2, 1),
            kept_until=date(2037, 2, 1),
        )
    )
    came_back = new_token("evt")
    for seq, (kind, amount, event_id, target) in enumerate(
        (
            ("payment", 100_000, new_token("evt"), None),
            ("payment", 100_000, came_back, None),
            ("reversal", 0, new_token("evt"), came_back),
            ("settlement", 3_000_000, new_token("evt"), None),
        ),
        start=1,
    ):
        bench.write(
            AgreementEvent(
                id=event_id,
                tenant=TENANT,
                agreement_id=agreement_id,
                seq=seq,
                kind=kind,
                business_key=event_id,
                value_date=date(2027, 1, seq),
                booked_on=date(2027, 1, seq),
                amount_minor=amount,
                target=target,
                created_at=clock(),
            )
        )


def _offer(session: Any, token: str) -> tuple[str, str]:
    offer = chosen_offer(session, case_token=token)
    assert offer is not None
    assert offer.plan_hash is not None
    return offer.id, offer.plan_hash
