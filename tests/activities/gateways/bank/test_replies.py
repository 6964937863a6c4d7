"""What the bank answers: each status in its place, batches and items, and broken files refused as a whole."""

from datetime import date
from pathlib import Path

import pytest

from activities.gateways.bank.incoming import Replies, open_replies
from activities.gateways.bank.replies import ReplyItem, ReplyLevel, ReplyStatus, advances
from models.errors import BankFileUnreadable

_SPACE = "urn:iso:std:iso:20022:tech:xsd:"


def _file(tmp_path: Path, message: str, body: str, *, head: str = "<?xml version='1.0' encoding='UTF-8'?>") -> Path:
    path = tmp_path / "reply.xml"
    path.write_text(f'{head}\n<Document xmlns="{_SPACE}{message}">\n{body}\n</Document>', encoding="utf-8")
    return path


def _opened(tmp_path: Path, message: str, body: str) -> Replies:
    return open_replies(_file(tmp_path, message, body))


def _status_report(group: str = "", batches: str = "") -> str:
    return (
        "<CstmrPmtStsRpt><GrpHdr><MsgId>R1</MsgId><CreDtTm>2026-11-24T09:00:00</CreDtTm></GrpHdr>"
        f"<OrgnlGrpInfAndSts><OrgnlMsgId>M1</OrgnlMsgId><OrgnlMsgNmId>pain.008.001.08</OrgnlMsgNmId>{group}"
        f"</OrgnlGrpInfAndSts>{batches}</CstmrPmtStsRpt>"
    )


def _tx(end_to_end: str, status: str, reason: str = "", tag: str = "Cd") -> str:
    why = f"<StsRsnInf><Rsn><{tag}>{reason}</{tag}></Rsn></StsRsnInf>" if reason else ""
    shown = f"<TxSts>{status}</TxSts>" if status else ""
    return (
        f"\n<TxInfAndSts><OrgnlInstrId>I-{end_to_end}</OrgnlInstrId><OrgnlEndToEndId>{end_to_end}</OrgnlEndToEndId>"
        f"{shown}{why}</TxInfAndSts>"
    )


def _told(replies: Replies) -> list[tuple[ReplyLevel, str | None, str | None, ReplyStatus, str | None]]:
    return [(item.level, item.batch_id, item.end_to_end_id, item.status, item.reason_code) for item in replies]


@pytest.mark.parametrize("version", ["pain.002.001.03", "pain.002.001.10", "pain.002.001.14"])
def test_a_status_report_tells_file_batch_and_items(tmp_path: Path, version: str) -> None:
    batch = "<OrgnlPmtInfAndSts><OrgnlPmtInfId>B1</OrgnlPmtInfId><PmtInfSts>PART</PmtInfSts>{}</OrgnlPmtInfAndSts>"
    items = _tx("E1", "ACCP") + _tx("E2", "RJCT", "AM04") + _tx("E3", "RJCT", "999", "Prtry") + _tx("E4", "PDNG")
    replies = _opened(tmp_path, version, _status_report("<GrpSts>PART</GrpSts>", batch.format(items)))
    item, batched, whole = ReplyLevel.ITEM, ReplyLevel.BATCH, ReplyLevel.FILE
    assert _told(replies) == [
        (whole, None, None, ReplyStatus.PARTIAL, None),
        (item, "B1", "E1", ReplyStatus.ACCEPTED, None),
        (item, "B1", "E2", ReplyStatus.REJECTED, "AM04"),
        (item, "B1", "E3", ReplyStatus.REJECTED, "999"),
        (item, "B1", "E4", ReplyStatus.PENDING, None),
        (batched, "B1", None, ReplyStatus.PARTIAL, None),
    ]
    assert (replies.kind, replies.items, replies.faults) == ("pain.002", 6, ())
    first = list(replies)[1]
    assert (first.original_message_id, first.instruction_id, first.amount_minor) == ("M1", "I-E1", None)
    assert len({each.key for each in replies}) == 6


def test_a_file_rejected_whole_is_one_item(tmp_path: Path) -> None:
    group = "<GrpSts>RJCT</GrpSts><StsRsnInf><Rsn><Cd>FF01</Cd></Rsn></StsRsnInf>"
    (item,) = _opened(tmp_path, "pain.002.001.10", _status_report(group))
    assert (item.level, item.status, item.reason_code) == (ReplyLevel.FILE, ReplyStatus.REJECTED, "FF01")
    assert not item.is_duplicate_notice


def test_a_duplicate_notice_is_known_as_one(tmp_path: Path) -> None:
    group = "<GrpSts>RJCT</GrpSts><StsRsnInf><Rsn><Cd>DUPL</Cd></Rsn></StsRsnInf>"
    (item,) = _opened(tmp_path, "pain.002.001.10", _status_report(group))
    assert item.is_duplicate_notice


def test_an_item_without_a_status_has_its_batch_status_and_reason(tmp_path: Path) -> None:
    batch = (
        "<OrgnlPmtInfAndSts><OrgnlPmtInfId>B1</OrgnlPmtInfId><PmtInfSts>RJCT</PmtInfSts>"
        f"<StsRsnInf><Rsn><Cd>AC04</Cd></Rsn></StsRsnInf>{_tx('E1', '')}</OrgnlPmtInfAndSts>"
    )
    item, _ = _opened(tmp_path, "pain.002.001.10", _status_report(batches=batch))
    assert (item.status, item.reason_code) == (ReplyStatus.REJECTED, "AC04")


def test_an_item_that_breaks_a_rule_is_a_fault_and_the_others_are_taken(tmp_path: Path) -> None:
    items = _tx("E1", "ACCP") + _tx("E2", "WHAT") + "<TxInfAndSts><TxSts>ACCP</TxSts></TxInfAndSts>" + _tx("E4", "PART")
    batch = f"<OrgnlPmtInfAndSts><OrgnlPmtInfId>B1</OrgnlPmtInfId>{items}</OrgnlPmtInfAndSts>"
    replies = _opened(tmp_path, "pain.002.001.10", _status_report(batches=batch))
    assert [item.end_to_end_id for item in replies] == ["E1"]
    assert [(fault.code, fault.pointer, fault.params["line"]) for fault in replies.faults] == [
        ("bank-status", "/0/1", 5),
        ("bank-required", "/0/2/OrgnlEndToEndId", 5),
        ("bank-status", "/0/3", 6),
    ]


# Booked entries -------------------------------------------------------------------------------------------------------


def _entry(
    details: str, *, amount: str = "100.00", side: str = "CRDT", status: str = "<Cd>BOOK</Cd>", more: str = ""
) -> str:
    return (
        f'<Ntry><Amt Ccy="CNY">{amount}</Amt><CdtDbtInd>{side}</CdtDbtInd>{more}<Sts>{status}</Sts>'
        "<BookgDt><Dt>2026-11-24</Dt></BookgDt><ValDt><DtTm>2026-11-25T00:00:00+08:00</DtTm></ValDt>"
        f"<AcctSvcrRef>S1</AcctSvcrRef><BkTxCd/>{details}</Ntry>"
    )


def _detail(end_to_end: str, amount: str | None = None, more: str = "", *, path: str = "Amt") -> str:
    steps = path.split("/")
    opened = "".join(f"<{step}>" for step in steps[:-1])
    closed = "".join(f"</{step}>" for step in reversed(steps[:-1]))
    money = f'{opened}<{steps[-1]} Ccy="CNY">{amount}</{steps[-1]}>{closed}' if amount else ""
    ids = f"<MsgId>M1</MsgId><PmtInfId>B1</PmtInfId><InstrId>I1</InstrId><EndToEndId>{end_to_end}</EndToEndId>"
    return f"<TxDtls><Refs>{ids}</Refs>{money}{more}</TxDtls>"


def _notification(*entries: str) -> str:
    return (
        "<BkToCstmrDbtCdtNtfctn><GrpHdr><MsgId>N1</MsgId></GrpHdr><Ntfctn><Id>N1</Id>"
        f"{''.join(entries)}</Ntfctn></BkToCstmrDbtCdtNtfctn>"
    )


def _booked(tmp_path: Path, *entries: str, message: str = "camt.054.001.08") -> Replies:
    return _opened(tmp_path, message, _notification(*entries))


def test_a_booked_debit_is_settled_with_all_its_ids(tmp_path: Path) -> None:
    (item,) = _booked(tmp_path, _entry(f"<NtryDtls>{_detail('E1', '100.00')}</NtryDtls>"))
    assert item == ReplyItem(
        message="camt.054",
        reply_id="N1",
        level=ReplyLevel.ITEM,
        status=ReplyStatus.SETTLED,
        original_message_id="M1",
        batch_id="B1",
        instruction_id="I1",
        end_to_end_id="E1",
        amount_minor=100_00,
        currency="CNY",
        credit=True,
        booking_date=date(2026, 11, 24),
        value_date=date(2026, 11, 25),
        entry_ref="S1",
        line=3,
    )


def test_the_older_version_with_a_plain_status_reads_alike(tmp_path: Path) -> None:
    entry = _entry(f"<NtryDtls>{_detail('E1', '100.00', path='AmtDtls/TxAmt/Amt')}</NtryDtls>", status="BOOK")
    (item,) = _booked(tmp_path, entry, message="camt.054.001.02")
    assert (item.status, item.amount_minor) == (ReplyStatus.SETTLED, 100_00)


_WHY = "<RtrInf><Rsn><Cd>AM04</Cd></Rsn></RtrInf>"
_UNPAID = "<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>IDDT</Cd><SubFmlyCd>UPDD</SubFmlyCd></Fmly></Domn></BkTxCd>"
_BACK = f"<NtryDtls>{_detail('E1', '100.00')}</NtryDtls>"


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (_entry(f"<NtryDtls>{_detail('E1', '100.00', _WHY)}</NtryDtls>", side="DBIT"), "AM04"),
        (_entry(_BACK, side="DBIT", more="<RvslInd>true</RvslInd>"), None),
        (_entry(_BACK, side="DBIT").replace("<BkTxCd/>", _UNPAID), None),
    ],
    ids=["reason", "reversal", "code"],
)
def test_money_that_goes_back_is_returned(tmp_path: Path, entry: str, reason: str | None) -> None:
    (item,) = _booked(tmp_path, entry)
    assert (item.status, item.reason_code, item.credit) == (ReplyStatus.RETURNED, reason, False)


def test_what_is_not_booked_yet_is_pending(tmp_path: Path) -> None:
    (item,) = _booked(tmp_path, _entry(f"<NtryDtls>{_detail('E1', '100.00')}</NtryDtls>", status="<Cd>PDNG</Cd>"))
    assert item.status is ReplyStatus.PENDING


def test_a_batch_booked_as_one_sum_is_one_item(tmp_path: Path) -> None:
    batch = "<NtryDtls><Btch><MsgId>M1</MsgId><PmtInfId>B1</PmtInfId><NbOfTxs>3</NbOfTxs></Btch></NtryDtls>"
    (item,) = _booked(tmp_path, _entry(batch, amount="300.06"))
    assert (item.level, item.original_message_id, item.batch_id) == (ReplyLevel.BATCH, "M1", "B1")
    assert (item.amount_minor, item.count, item.end_to_end_id) == (300_06, 3, None)


def test_a_batch_with_details_is_its_details(tmp_path: Path) -> None:
    details = f"<NtryDtls><Btch><MsgId>M1</MsgId></Btch>{_detail('E1', '60.00')}{_detail('E2', '40.00')}</NtryDtls>"
    replies = _booked(tmp_path, _entry(details))
    assert [(item.end_to_end_id, item.amount_minor, item.detail) for item in replies] == [
        ("E1", 6000, 0),
        ("E2", 4000, 1),
    ]
    assert len({item.key for item in replies}) == 2


def test_money_that_names_nothing_is_an_item_without_ids(tmp_path: Path) -> None:
    (item,) = _booked(tmp_path, _entry(""))
    assert (item.level, item.end_to_end_id, item.amount_minor) == (ReplyLevel.ITEM, None, 100_00)


def test_not_provided_is_no_id(tmp_path: Path) -> None:
    (item,) = _booked(tmp_path, _entry(f"<NtryDtls>{_detail('NOTPROVIDED', '100.00')}</NtryDtls>"))
    assert item.end_to_end_id is None


def test_the_only_detail_need_not_repeat_the_amount(tmp_path: Path) -> None:
    (item,) = _booked(tmp_path, _entry(f"<NtryDtls>{_detail('E1')}</NtryDtls>"))
    assert (item.end_to_end_id, item.amount_minor) == ("E1", 100_00)


def test_a_statement_tells_the_same_fact_under_the_same_key(tmp_path: Path) -> None:
    entry = _entry(f"<NtryDtls>{_detail('E1', '100.00')}</NtryDtls>")
    (notified,) = _booked(tmp_path, entry)
    body = f"<BkToCstmrStmt><GrpHdr><MsgId>ST1</MsgId></GrpHdr><Stmt><Id>1</Id>{entry}</Stmt></BkToCstmrStmt>"
    (stated,) = _opened(tmp_path, "camt.053.001.08", body)
    assert stated.message == "camt.053"
    assert stated.key == notified.key


@pytest.mark.parametrize(
    ("entry", "codes", "taken"),
    [
        (_entry("", amount="1e2"), ["bank-amount"], 0),
        (_entry("").replace("2026-11-24", "24.11.2026"), ["bank-date"], 0),
        (_entry("", side="BOTH"), ["bank-status"], 0),
        (_entry(f"<NtryDtls>{_detail('E1', '60.00')}{_detail('E2', '30.00')}</NtryDtls>"), ["bank-entry-sum"], 2),
        (_entry(f"<NtryDtls>{_detail('E1', 'x')}{_detail('E2', '30.00')}</NtryDtls>"), ["bank-amount"], 1),
        (_entry(f"<NtryDtls>{_detail('E1')}{_detail('E2', '100.00')}</NtryDtls>"), ["bank-amount"], 1),
        (_entry(f"<NtryDtls>{_detail('E1', '100.00')}{_detail('E2')}</NtryDtls>"), ["bank-amount"], 1),
        (_entry(f"<NtryDtls>{_detail('E1', '100.00').replace('CNY', 'EUR')}</NtryDtls>"), ["bank-currency"], 0),
    ],
    ids=["amount", "date", "side", "sum", "detail-amount", "first-without", "second-without", "currency"],
)  # fmt: skip
def test_a_broken_entry_is_a_fault_and_the_others_are_taken(
    tmp_path: Path, entry: str, codes: list[str], taken: int
) -> None:
    sound = _entry(f"<NtryDtls>{_detail('E9', '100.00')}</NtryDtls>")
    replies = _booked(tmp_path, entry, sound)
    assert [fault.code for fault in replies.faults] == codes
    assert [item.end_to_end_id for item in replies][-1] == "E9"
    assert replies.items == taken + 1


def test_charges_kept_back_are_no_fault(tmp_path: Path) -> None:
    charged = _entry(f"<NtryDtls>{_detail('E1', '102.00')}</NtryDtls>", more="").replace(
        "<BkTxCd/>", '<BkTxCd/><Chrgs><Rcrd><Amt Ccy="CNY">2.00</Amt></Rcrd></Chrgs>'
    )
    replies = _booked(tmp_path, charged)
    assert replies.faults == ()
    assert [item.amount_minor for item in replies] == [102_00]


# Whole files ----------------------------------------------------------------------------------------------------------


def _refusal(path: Path) -> str:
    with pytest.raises(BankFileUnreadable) as refused:
        open_replies(path)
    return refused.value.faults[0].code


def test_what_other_messages_tell_too_has_no_items(tmp_path: Path) -> None:
    replies = _opened(tmp_path, "pacs.004.001.09", "<PmtRtr><GrpHdr/><TxInf/></PmtRtr>")
    assert (replies.kind, replies.items, list(replies)) == ("pacs.004", 0, [])


def test_files_that_are_nothing_of_ours_are_refused_with_one_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "reply.xml"
    for content, code in [
        (b"", "bank-empty"),
        (b"garbage", "bank-xml"),
        (b"\x00\x01\x02", "bank-xml"),
        (b"PK\x03\x04", "bank-xml"),
        (b"<html/>", "bank-message"),
        (b'<Document xmlns="urn:other"/>', "bank-message"),
        (f'<Document xmlns="{_SPACE}pain.001.001.09"/>'.encode(), "bank-message"),
        (f'<Other xmlns="{_SPACE}pain.002.001.10"/>'.encode(), "bank-message"),
        (f'<Document xmlns="{_SPACE}pain.002.001.10"><BkToCstmrStmt/></Document>'.encode(), "bank-message"),
        (f'<Document xmlns="{_SPACE}pain.002.001.10"/>'.encode(), "bank-message"),
    ]:
        path.write_bytes(content)
        assert _refusal(path) == code, content


@pytest.mark.parametrize("kind", ["pain.002.001.10", "camt.054.001.08", "pacs.004.001.09"])
@pytest.mark.parametrize("part", [0.4, 0.6, 0.95, 0.99])
def test_a_file_cut_off_anywhere_is_refused_whole(tmp_path: Path, kind: str, part: float) -> None:
    items = "".join(_tx(f"E{number}", "ACCP") for number in range(500))
    body = {
        "pain.002.001.10": _status_report(batches=f"<OrgnlPmtInfAndSts>{items}</OrgnlPmtInfAndSts>"),
        "camt.054.001.08": _notification(*[_entry(f"<NtryDtls>{_detail('E1', '100.00')}</NtryDtls>")] * 300),
        "pacs.004.001.09": f"<PmtRtr>{'<TxInf><RtrId>1</RtrId></TxInf>' * 2000}</PmtRtr>",
    }[kind]
    path = _file(tmp_path, kind, body)
    content = path.read_bytes()
    assert open_replies(path).faults == ()
    path.write_bytes(content[: int(len(content) * part)])
    assert _refusal(path) == "bank-xml"


def test_a_document_type_is_refused_and_its_entities_are_not_opened(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("SECRET")
    outside = f'<?xml version="1.0"?>\n<!DOCTYPE Document [<!ENTITY x SYSTEM "{secret.as_uri()}">]>'
    bomb = '<!DOCTYPE Document [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>'
    for head in (outside, bomb):
        path = _file(tmp_path, "pain.002.001.10", _status_report("<GrpSts>&c;</GrpSts>"), head=head)
        assert _refusal(path) == "bank-doctype"


def test_a_file_above_the_limit_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = _file(tmp_path, "pain.002.001.10", _status_report())
    with pytest.raises(BankFileUnreadable) as refused:
        open_replies(path, most_bytes=100)
    assert refused.value.faults[0].code == "bank-too-large"


def test_elements_nested_without_end_are_refused(tmp_path: Path) -> None:
    body = f"<CstmrPmtStsRpt>{'<a>' * 5000}{'</a>' * 5000}</CstmrPmtStsRpt>"
    assert _refusal(_file(tmp_path, "pain.002.001.10", body)) == "bank-xml"


def test_a_file_in_the_encoding_of_chinese_hosts_is_read(tmp_path: Path) -> None:
    path = tmp_path / "reply.xml"
    body = _status_report(batches=f"<OrgnlPmtInfAndSts>{_tx('E1', 'RJCT', '余额不足', 'Prtry')}</OrgnlPmtInfAndSts>")
    text = f'<?xml version="1.0" encoding="GB18030"?><Document xmlns="{_SPACE}pain.002.001.10">{body}</Document>'
    path.write_bytes(text.encode("gb18030"))
    (item,) = open_replies(path)
    assert item.reason_code == "余额不足"


def test_replies_that_overtake_one_another_do_not_undo_what_is_known() -> None:
    order = [ReplyStatus.PENDING, ReplyStatus.ACCEPTED, ReplyStatus.REJECTED, ReplyStatus.SETTLED, ReplyStatus.RETURNED]
    for place, known in enumerate(order):
        assert [told for told in order if advances(known, told)] == order[place + 1 :]
    assert advances(None, ReplyStatus.PENDING)
