"""The report of a run: the same for the same facts, in three forms and two languages; people decide on suggestions."""

import hashlib
import json
import re
from datetime import date

import pypdfium2
import pytest
from sqlmodel import col, select

from activities.batches.report_content import batch_sheet
from activities.batches.report_writing import fingerprint, paper_address
from activities.documents.render import Renderer
from activities.reports.html import html_page
from activities.reports.json_sheet import json_sheet
from activities.reports.pdf import pdf_page
from models.domain.batches.suggesting import DayResult, ReasonResult, TopicResult, suggest
from models.domain.states import TaskState
from models.errors import FormInvalid, NotFound, WrongState
from models.operations.batches.feedback import FeedbackOrigin, FeedbackTopic, new_feedback
from models.operations.batches.suggestions import decide_suggestion
from models.queries.batches.report_facts import report_facts
from models.tables.audit import AuditEvent
from models.tables.batch_books import BatchFeedback, BatchPaper, BatchReport, BatchSuggestion
from models.tables.batch_runs import BatchOrder, BatchRun
from models.tables.tasks import Task
from models.texts.render import LOCALES, Locale, has_text
from tests.support.settled_run import RUN, STEP, TENANT, BatchBooks, order_id


@pytest.fixture
def books(database, vault, clock) -> BatchBooks:
    made = BatchBooks(database, vault, clock).build()
    made.to_the_end()
    return made


def reports(books: BatchBooks) -> list[BatchReport]:
    with books.database.read() as session:
        return list(session.exec(select(BatchReport).order_by(col(BatchReport.made_at))))


def facts_of(books: BatchBooks) -> dict[str, object]:
    with books.database.read() as session:
        return report_facts(session, session.get_one(BatchRun, RUN))


def feedback(books: BatchBooks, number: int, *, score: int | None = 1, **more: object) -> BatchFeedback:
    given = {
        "feedback_id": f"bfb_{number}", "run": RUN, "tenant": TENANT, "origin": FeedbackOrigin.CUSTOMER,
        "topic": FeedbackTopic.TIMING, "score": score, "text_cell": None, "given_by": "link", "now": books.clock(),
        "order_id": order_id(number),
    } | more  # fmt: skip
    with books.unit() as unit:
        return new_feedback(unit.session, **given)  # type: ignore[arg-type]


def test_the_same_facts_give_the_same_report_and_others_the_next(books: BatchBooks) -> None:
    books.steps.write_report(STEP)
    books.clock.advance(hours=5)
    books.steps.write_report(STEP)  # killed after its commit, and repeated
    [first] = reports(books)
    assert first.fingerprint == fingerprint(first.body) == fingerprint(facts_of(books))
    feedback(books, 1, score=5)
    books.steps.write_report(STEP)
    second = reports(books)[-1]
    assert (len(reports(books)), second.fingerprint == first.fingerprint) == (2, False)
    with books.database.read() as session:
        assert len(session.exec(select(BatchPaper)).all()) == 12
        events = session.exec(select(AuditEvent).where(AuditEvent.action == "batch.report-written")).all()
    assert [json.loads(each.body)["facts"]["fingerprint"] for each in events] == [first.fingerprint, second.fingerprint]


def test_papers_are_sealed_and_what_the_log_says(books: BatchBooks) -> None:
    books.steps.write_report(STEP)
    [report] = reports(books)
    with books.database.read() as session:
        papers = session.exec(select(BatchPaper)).all()
    assert {(each.locale, each.form) for each in papers} == {
        (locale, form) for locale in LOCALES for form in ("html", "pdf", "json")
    }
    begin = {"html": b"<!DOCTYPE html>", "pdf": b"%PDF", "json": b"{"}
    for paper in papers:
        content = books.vault.open(paper_address(TENANT, paper.id, report.id), paper.content_cell)
        assert content.startswith(begin[paper.form])
        assert hashlib.sha256(content).hexdigest() == paper.digest
        if paper.form == "json":
            assert json.loads(content)["facts"] == report.body


@pytest.mark.parametrize("locale", LOCALES)
def test_each_form_says_the_same_and_the_same_bytes(sqlite_database, vault, clock, locale: Locale) -> None:
    books = BatchBooks(sqlite_database, vault, clock).build()
    books.to_the_end()
    sheet = batch_sheet(facts_of(books), report="brp_x", digest="ab" * 32, institution="示例银行", locale=locale)
    page, pdf, told = html_page(sheet), pdf_page(Renderer(), sheet), json_sheet(sheet, facts_of(books))
    again = batch_sheet(facts_of(books), report="brp_x", digest="ab" * 32, institution="示例银行", locale=locale)
    assert (page, pdf, told) == (html_page(again), pdf_page(Renderer(), again), json_sheet(again, facts_of(books)))
    document = pypdfium2.PdfDocument(pdf)
    printed = re.sub(r"\s", "", "".join(page.get_textpage().get_text_bounded() for page in document))
    for text in ("740.70", "1,604.85", {"zh-CN": "对平", "en": "It agrees"}[locale]):
        assert text in page.decode()
        assert text in told.decode()
        assert text.replace(" ", "") in printed
    assert "<svg" in page.decode()
    assert "batch-report." not in page.decode()  # every code has its word


def test_a_run_in_which_nobody_was_left_to_pay_has_its_report_too(sqlite_database, vault, clock) -> None:
    books = BatchBooks(sqlite_database, vault, clock, ends={}).build()
    books.to_the_end()
    books.steps.write_report(STEP)
    [report] = reports(books)
    assert report.body["outcomes"] == []


def many(books: BatchBooks) -> None:
    """Forty orders of the fifth, half of which settle; the others are of the seventeenth."""
    with books.unit() as unit:
        for order in unit.session.exec(select(BatchOrder)):
            late = order.member % 2 == 0 and order.state == "settled"
            order.requested_on = date(2026, 11, 17 if order.state != "rejected" or late else 5)
            unit.session.add(order)


def test_a_suggestion_rests_on_figures_and_is_made_once(database, vault, clock) -> None:
    ends = {"settled": 40, "rejected": 35}
    books = BatchBooks(database, vault, clock, ends=ends).build()  # type: ignore[arg-type]
    many(books)
    books.to_the_end()
    for _ in range(2):
        books.steps.write_report(STEP)
    with books.database.read() as session:
        [made] = session.exec(select(BatchSuggestion)).all()
        task = session.get_one(Task, made.task_id)
    assert (made.code, made.change, made.rule_version) == (
        "presentment-day", {"fromDay": 5, "presentmentDay": 17}, "debits/3",
    )  # fmt: skip
    assert (task.state, task.shown["basis"], task.candidate_role) == (TaskState.READY, made.basis, "batch-approver")
    with books.unit() as unit:
        decided = decide_suggestion(unit.session, made.id, adopt=True, staff_id="stf_x", now=clock())
        assert (decided.state, decided.draft_version) == ("adopted", None)
    with pytest.raises(WrongState), books.unit() as unit:
        decide_suggestion(unit.session, made.id, adopt=False, staff_id="stf_y", now=clock())


def test_what_is_suggested_and_what_is_too_little_to_suggest_anything() -> None:
    days = [DayResult(day=5, orders=30, settled=10), DayResult(day=17, orders=30, settled=27)]
    reasons = [
        ReasonResult(reason="AM04", orders=20, retried=20, retried_settled=0),
        ReasonResult(reason="AC04", orders=10),
    ]
    topics = [TopicResult(topic="timing", scores=5, score_sum=10)]
    found = suggest(orders=400, days=days, reasons=reasons, topics=topics)
    assert [each.code for each in found] == [
        "check-before/AC04",
        "feedback/timing",
        "presentment-day",
        "retry-stop/AM04",
    ]
    for each in found:
        assert all(has_text(f"batch-report.suggestion.{each.code.partition('/')[0]}", locale) for locale in LOCALES)
    assert not suggest(
        orders=600,
        days=[DayResult(day=5, orders=29, settled=0), days[1]],
        reasons=[ReasonResult(reason="AM04", orders=20, retried=20, retried_settled=1), reasons[1]],
        topics=[TopicResult(topic="timing", scores=4, score_sum=4)],
    )


def test_feedback_belongs_to_the_version_of_the_rules_and_to_the_customer(books: BatchBooks) -> None:
    kept = feedback(books, 2)
    assert (kept.rule_version, kept.subject_id) == ("debits/3", "sub_test")
    assert feedback(books, 2, score=3).score == 1  # the same piece, sent twice
    with pytest.raises(NotFound):
        feedback(books, 3, order_id="bor_none")
    with pytest.raises(FormInvalid) as refused:
        feedback(books, 3, topic="weather", score=6)
    assert [each.pointer for each in refused.value.faults] == ["/topic", "/score"]
    staff = feedback(books, 4, origin=FeedbackOrigin.STAFF, order_id=None)
    assert staff.subject_id == staff.id
