"""What a customer and an auditor find on the pages: every mandatory content, every row, nothing smuggled in."""

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal
from importlib.resources import files
from pathlib import Path

import pypdfium2
import pytest

from activities.documents.content import (
    AnnualRate,
    ChargeKind,
    CostStatement,
    DebtKind,
    DebtPart,
    Document,
    RateMethod,
    RepaymentCycle,
    RepaymentMethod,
    Settlement,
    SigningForm,
)
from activities.documents.fonts import font_directory, load_fonts
from activities.documents.render import Renderer, TemplateDefectError
from models.errors import CharacterUnprintable
from models.texts.render import LOCALES, Locale
from tests.activities.documents.contents import (
    BORROWER,
    LENDER,
    PLAN_HASH,
    agreement,
    close_letter,
    cost_statement,
    default_notice,
    schedule,
)

TEMPLATES = Path(str(files("activities.documents") / "templates"))
HOSTILE = '#panic("x") #{sys.inputs} *b* _i_ $x$ `r` <l> @l \\ // [] ] ) " \' = H + 1. -- ... #import "house.typ": *'


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return Renderer()


def pages(pdf: bytes) -> list[str]:
    """The text of each page without blanks, which typesetting may put anywhere between Chinese and other letters."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        return [re.sub(r"\s", "", page.get_textpage().get_text_bounded()) for page in document]
    finally:
        document.close()


def squeezed(text: str) -> str:
    return re.sub(r"\s", "", text)


# The agreement --------------------------------------------------------------------------------------------------------


def test_the_agreement_holds_the_six_contents_that_the_law_wants(renderer: Renderer) -> None:
    """CCM-70c, in the order of its items."""
    text = "".join(pages(renderer.render(agreement())))
    for item in (
        ("截至2026年11月20日", "87,700.37", "消费透支本金", "73,000.00", "预借现金本金", "违约金"),
        ("甲方减免", "86,500.37", "币种为人民币"),
        ("每月一期，共12期", "等额本金", "还款币种", "2026年12月21日", "2027年11月21日", "92,122.84"),
        ("年费不收取", "利息收取按剩余本金每月1%计收", "提前结清费用不收取", "其他费用不收取"),
        ("在本协议项下全部欠款结清之前，不向任何银行申请信用卡",),
        ("第六条双方权利与义务", "停止对上述欠款的催收", "第七条违约责任", "连续2期未足额还款", "18.25%（单利）"),
        ("第八条提前还款与提前结清", "第九条其他事项", "人民法院"),
    ):  # fmt: skip
        for words in item:
            assert words in text
    assert "人民币捌万陆仟伍佰元叁角柒分" in text


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("count", [1, 12, 60])
def test_every_row_is_printed_with_its_date_and_amounts(renderer: Renderer, count: int, locale: Locale) -> None:
    signed = agreement(count)
    text = "".join(pages(renderer.render(signed, locale=locale)))
    left = signed.schedule.principal_minor
    for row in signed.schedule.rows:
        left -= row.principal_minor
        figures = (row.principal_minor, row.interest_minor, row.total_minor, left)
        printed = "".join(f"{minor // 100:,}.{minor % 100:02d}" for minor in figures)
        assert f"{row.no}{row.due.isoformat()}{printed}" in text


def test_fees_have_a_column_where_there_are_any_and_no_column_of_zeros_otherwise(renderer: Renderer) -> None:
    plan = schedule(12)
    dearer = replace(plan, rows=tuple(replace(row, fee_minor=500) for row in plan.rows))
    without, charged = (
        "".join(pages(renderer.render(made))) for made in (agreement(12), agreement(12, schedule=dearer))
    )
    assert "费用合计" not in without
    assert "利息费用应还合计" in charged
    assert "费用合计¥60.00" in charged


def test_the_first_page_shows_the_yearly_rate_and_all_charges(renderer: Renderer) -> None:
    """APR21-1 and CCN22-PAGE1."""
    first = pages(renderer.render(agreement()))[0]
    assert "年化利率" in first
    assert "12.6825%" in first
    assert "内部收益率法，按复利计算" in first
    for label in ("年费", "利息", "提前结清费用", "其他费用"):
        assert label in first


def test_the_yearly_rate_is_the_largest_figure_of_the_first_page(renderer: Renderer) -> None:
    document = pypdfium2.PdfDocument(renderer.render(agreement()))
    page = document[0].get_textpage()
    text = page.get_text_range()
    heights = {
        figure: page.get_charbox(text.index(figure))[3] - page.get_charbox(text.index(figure))[1]
        for figure in ("12.6825%", "12.00%", "86,500.37", "92,122.84")
    }
    document.close()
    assert heights["12.6825%"] > 2 * max(height for figure, height in heights.items() if figure != "12.6825%")


def test_a_simple_rate_says_that_it_is_simple(renderer: Renderer) -> None:
    """APR21-4."""
    simple = agreement(rates=(AnnualRate(value=Decimal("0.1329"), method=RateMethod.SIMPLE),))
    assert "年化利率（单利）" in pages(renderer.render(simple))[0]


def test_clauses_of_major_interest_are_marked(renderer: Renderer) -> None:
    """CC-496: the undertaking, the mandate and breach."""
    text = "".join(pages(renderer.render(agreement())))
    for heading in ("第四条乙方承诺", "第五条还款与扣款授权", "第七条违约责任"):
        assert f"{heading}【重点条款】" in text


def test_the_mandate_names_what_the_bank_of_the_account_must_see_and_hides_the_account(renderer: Renderer) -> None:
    """DDB-AUTH."""
    text = "".join(pages(renderer.render(agreement())))
    for words in (
        "收款人" + LENDER.name,
        "偿还本协议项下各期应还款项",
        "621700*********8901",
        "每月一期",
        "9,000.00",
        "2028年1月31日",
    ):
        assert words in text
    assert "6217000012345678901" not in text
    assert "6225880012345678" not in text


def test_without_a_mandate_nothing_is_authorised(renderer: Renderer) -> None:
    text = "".join(pages(renderer.render(agreement(mandate=None))))
    assert "乙方未授权自动扣款" in text
    assert "乙方授权" not in text


def test_each_page_says_which_it_is_and_of_what_document(renderer: Renderer) -> None:
    found = pages(renderer.render(agreement(60)))
    for number, text in enumerate(found, 1):
        assert f"第{number}页共{len(found)}页" in text
        assert "agr_7K2M9QXW4D" in text
        assert PLAN_HASH in text


@pytest.mark.parametrize("count", [1, 2, *range(28, 37), 59, 60])
def test_no_table_is_torn_from_its_head_or_its_sum(renderer: Renderer, count: int) -> None:
    head = "期次到期日本金利息应还合计剩余本金"
    row = re.compile(r"\d{1,2}20\d\d-\d\d-\d\d")
    for text in pages(renderer.render(agreement(count))):
        rows = list(row.finditer(text))
        assert bool(rows) == (head in text)
        if "合计86,500.37" in text:
            assert rows


@pytest.mark.parametrize("count", [3, 12, 24, 36, 60])
@pytest.mark.parametrize("form", list(SigningForm))
def test_signatures_stand_under_a_clause_and_together(renderer: Renderer, count: int, form: SigningForm) -> None:
    last = pages(renderer.render(agreement(count, form=form)))[-1]
    assert last.index("生效。") < last.index("乙方确认") < last.index("甲方（盖章）") < last.index("日期：")


def test_paper_has_lines_to_write_on_and_an_electronic_document_a_seal_box(renderer: Renderer) -> None:
    electronic = pages(renderer.render(agreement()))[-1]
    paper = pages(renderer.render(agreement(form=SigningForm.PAPER)))[-1]
    assert "电子签章" in electronic
    assert "一次性验证码" in electronic
    assert "电子签章" not in paper
    assert "一式两份" in paper
    assert "亲笔抄写" in paper
    assert "授权代表（签字）" in paper
    assert "亲笔抄写" not in electronic


def test_further_terms_are_numbered_clauses(renderer: Renderer) -> None:
    last = "".join(pages(renderer.render(agreement(other_terms=("甲条款。", "乙条款。")))))
    assert "4.甲条款。5.乙条款。6.双方同意" in last


# The other documents --------------------------------------------------------------------------------------------------


def test_the_cost_statement_holds_what_the_form_asks_for(renderer: Renderer) -> None:
    """AIC26-FORM."""
    text = "".join(pages(renderer.render(cost_statement())))
    for words in (
        "贷款本金¥86,500.37",
        "随每期还款收取",
        "剩余本金的1%/月",
        "示例融资担保有限公司",  # a partner's charge names the partner (AIC26-PARTY)
        "5,622.47",
        "综合融资成本年化水平",
        "12.6825%",
        "逾期利息",
        "到期日后超过宽限期仍未足额偿还",
        "不收取与本笔贷款有关的任何其他费用",
        "在签署协议、办理分期之前阅读",
    ):
        assert words in text


def test_letters_hide_the_number_of_the_identity_card(renderer: Renderer) -> None:
    for letter in (close_letter(), default_notice(), cost_statement()):
        text = "".join(pages(renderer.render(letter)))
        assert "110101********7715" in text
        assert BORROWER.id_number not in text


def test_the_close_letter_says_what_was_settled_and_how(renderer: Renderer) -> None:
    text = "".join(pages(renderer.render(close_letter(settlement=Settlement.EARLY))))
    for words in (
        "结清证明",
        "agr_7K2M9QXW4D",
        "2027年11月21日",
        "提前结清",
        "¥92,122.89",
        "剩余欠款无",
        "办卡限制已经撤销",
    ):
        assert words in text
    assert "方案摘要" not in text  # it is about no plan


def test_the_default_notice_names_rows_sum_and_deadline(renderer: Renderer) -> None:
    text = "".join(pages(renderer.render(default_notice())))
    for words in (
        "22027-01-21398,001.25",
        "32027-02-2187,929.17",
        "15,930.42",
        "¥16,118.19",
        "2027年3月15日",
        "¥79,500.00",
    ):
        assert words in text


# Every template, every word -------------------------------------------------------------------------------------------

EVERYTHING: tuple[Document, ...] = (
    *(agreement(method=method, currency="USD") for method in RepaymentMethod),
    *(agreement(cycle=cycle) for cycle in RepaymentCycle),
    *(agreement(rates=(AnnualRate(value=Decimal("0.1"), method=method),)) for method in RateMethod),
    agreement(
        debt=tuple(DebtPart(kind=kind, amount_minor=100) for kind in DebtKind),
        waived_minor=0,
        schedule=schedule(2, principal_minor=600),
    ),
    *(agreement(mandate=None, form=form, other_terms=("一",)) for form in SigningForm),
    *(cost_statement(form=form, contingent=()) for form in SigningForm),
    *(close_letter(settlement=settlement) for settlement in Settlement),
    default_notice(),
)


@pytest.mark.parametrize("locale", LOCALES)
def test_every_word_has_its_template_text(renderer: Renderer, locale: Locale) -> None:
    for content in EVERYTHING:
        assert renderer.render(content, locale=locale).startswith(b"%PDF-")


ONE_OF_EACH = (agreement(), cost_statement(), close_letter(), default_notice())


@pytest.mark.parametrize("content", ONE_OF_EACH, ids=lambda content: type(content).__name__)
def test_the_english_text_says_that_the_chinese_one_prevails(renderer: Renderer, content: Document) -> None:
    first = pages(renderer.render(content, locale="en"))[0]
    assert squeezed("the Chinese text prevails") in first


def test_every_template_is_rendered_by_some_content() -> None:
    names = {path.name for path in TEMPLATES.glob("*.typ")}
    helpers = {"house.typ", "words.en.typ", "words.zh-CN.typ", "sheet.typ"}  # the last: tests of transfers
    documents = ("agreement", "cost-statement", "close-letter", "default-notice")
    assert names - helpers == {f"{name}.{locale}.typ" for name in documents for locale in LOCALES}


# Bytes ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("locale", LOCALES)
def test_the_same_content_gives_the_same_bytes(locale: Locale) -> None:
    for content in ONE_OF_EACH:
        first = Renderer().render(content, locale=locale)
        assert Renderer().render(content, locale=locale) == first


def test_the_only_date_in_the_file_is_the_documents_own(renderer: Renderer) -> None:
    document = pypdfium2.PdfDocument(renderer.render(agreement()))
    metadata = document.get_metadata_dict()
    document.close()
    assert metadata["CreationDate"].startswith("D:20261121")
    assert metadata["ModDate"].startswith("D:20261121")
    assert metadata["Title"] == "信用卡个性化分期还款协议 agr_7K2M9QXW4D"


def test_the_file_is_made_for_the_archive_and_for_screen_readers(renderer: Renderer) -> None:
    pdf = renderer.render(agreement())
    assert b"<pdfaid:part>2</pdfaid:part>" in pdf
    assert b"<pdfaid:conformance>A</pdfaid:conformance>" in pdf
    assert b"<pdfuaid:part>1</pdfuaid:part>" in pdf


# Hostile and awkward texts --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("locale", LOCALES)
def test_a_text_is_printed_and_never_read_as_markup(renderer: Renderer, locale: Locale) -> None:
    hostile = agreement(
        borrower=replace(BORROWER, name=HOSTILE, address=HOSTILE), lender=replace(LENDER, name=HOSTILE),
        other_terms=(HOSTILE,),
    )  # fmt: skip
    text = "".join(pages(renderer.render(hostile, locale=locale)))
    assert text.count(squeezed(HOSTILE)) >= 4


def test_line_breaks_in_a_text_cannot_move_what_follows(renderer: Renderer) -> None:
    plain, broken = agreement(), agreement(borrower=replace(BORROWER, address="北京市\n\n\n\r\n\t\v\f东城区"))
    assert len(pages(renderer.render(plain))) == len(pages(renderer.render(broken)))
    assert "北京市东城区" in pages(renderer.render(broken))[0]


def test_a_very_long_name_and_address_stay_on_the_page(renderer: Renderer) -> None:
    name, address = "买买提·阿卜杜热合曼·" * 6, "新疆维吾尔自治区乌鲁木齐市天山区" * 12
    pdf = renderer.render(agreement(borrower=replace(BORROWER, name=name, address=address)))
    document = pypdfium2.PdfDocument(pdf)
    for page in document:
        text = page.get_textpage()
        width, height = page.get_size()
        for index in range(text.count_chars()):
            left, bottom, right, top = text.get_charbox(index)
            assert left >= 0
            assert bottom >= 0
            assert right <= width
            assert top <= height
    document.close()
    assert address in "".join(pages(pdf))


@pytest.mark.parametrize("rare", ["䶮", "𬉼", "㛃", "镕", "·"])
def test_rare_characters_of_names_are_printed(renderer: Renderer, rare: str) -> None:
    text = "".join(pages(renderer.render(agreement(borrower=replace(BORROWER, name=f"王{rare}")))))
    assert f"王{rare}" in text


@pytest.mark.parametrize(
    ("name", "point"),
    [
        ("王\U00030000", "U+30000"),  # no glyph
        ("王👍", "U+1F44D"),
        ("王\u202e明", "U+202E"),  # turns the order of what follows
        ("王\u200b明", "U+200B"),  # nobody sees it
        ("王\ue000", "U+E000"),  # means another character on each machine
        ("王\x00", "U+0000"),
        ("王\ud800", "U+D800"),
    ],
)
def test_what_cannot_be_printed_is_refused_by_its_code_point_and_field(
    renderer: Renderer, name: str, point: str
) -> None:
    with pytest.raises(CharacterUnprintable) as refused:
        renderer.render(agreement(borrower=replace(BORROWER, name=name)))
    assert refused.value.params == {"character": point, "field": "borrower.name"}
    assert "王" not in str(refused.value)


def test_a_further_font_prints_what_the_first_one_lacks() -> None:
    dejavu = Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")
    if not dejavu.exists():
        pytest.skip("no second font on this machine")
    fonts = load_fonts(dejavu)
    assert "DejaVu Sans" in fonts.families
    hebrew = agreement(borrower=replace(BORROWER, name="Dan אבג"))
    with pytest.raises(CharacterUnprintable):
        Renderer().render(hebrew)
    assert Renderer(fonts=fonts).render(hebrew)


def test_the_characters_of_the_font_are_those_of_its_map() -> None:
    fonts = load_fonts()
    assert fonts.families == ("Noto Sans SC",)
    assert {ord("汉"), ord("䶮"), 0x2C27C, ord("A")} <= fonts.characters
    assert not fonts.characters & {0x30000, 0x1F44D}
    assert (font_directory() / "OFL.txt").exists()  # the licence lies beside the font


def test_a_template_that_does_not_compile_says_where_and_not_what(
    renderer: Renderer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for path in TEMPLATES.glob("*.typ"):
        (tmp_path / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    broken = tmp_path / "close-letter.zh-CN.typ"
    broken.write_text(broken.read_text(encoding="utf-8") + "\n#panic(data.borrower.name)\n", encoding="utf-8")
    monkeypatch.setattr("activities.documents.render._TEMPLATES", str(tmp_path))
    with pytest.raises(TemplateDefectError, match=r"close-letter.zh-CN.typ:\d+") as failed:
        renderer.render(close_letter())
    assert BORROWER.name not in str(failed.value)
    assert failed.value.__cause__ is None
    assert failed.value.__context__ is None


# What does not add up -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"waived_minor": 0}, "waived"),
        ({"waived_minor": -1}, "waived"),
        ({"charges": ()}, "each kind of charge"),
        ({"rates": ()}, "yearly rate"),
        ({"debt": ()}, "parts of the debt"),
        ({"heading": replace(agreement().heading, plan_hash=None)}, "names the plan"),
        ({"schedule": replace(schedule(3), rows=schedule(3).rows[:2])}, "rows do not add up"),
    ],
)
def test_an_incomplete_agreement_cannot_be_made(change: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        agreement(**change)


def test_a_charge_that_is_taken_says_how_much() -> None:
    charge = agreement().charges[0]
    assert charge.kind is ChargeKind.ANNUAL_FEE
    with pytest.raises(ValueError, match="no standard"):
        replace(charge, charged=True, standard=" ")


def test_a_default_notice_of_nothing_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="missed"):
        default_notice(missed=())


def test_the_cost_statement_is_about_dates_of_the_plan() -> None:
    statement: CostStatement = cost_statement()
    assert statement.first_due == date(2026, 12, 21)
