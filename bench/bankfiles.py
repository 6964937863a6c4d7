"""Files to and from the bank: debits to a checked pain.008, status reports read and matched."""

import hashlib
import resource
import tempfile
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

from lxml import etree

from activities.gateways.bank.checks import check_pain008
from activities.gateways.bank.incoming import open_replies
from activities.gateways.bank.matching import SentOrder, index_orders, match
from activities.gateways.bank.orders import Creditor, DebitBatch, DebitFile, DebitOrder
from activities.gateways.bank.pain008 import write_pain008
from activities.gateways.bank.profiles import GENERIC_CNY, Sequence
from bench.measuring import seconds
from bench.registry import Figure, Floor, measures

DEBITS = 100_000
DAY = date(2026, 11, 23)
SIGNED = date(2026, 1, 5)
BANK = "102100099996"
MESSAGE = "main-20261123-001"


@measures("bankfiles")
def bankfiles(scale: float) -> Iterable[Figure]:
    """Debits to a checked file, replies matched; the floor writes the same elements with lxml and does nothing else."""
    count = max(1_000, int(DEBITS * scale))
    with tempfile.TemporaryDirectory(prefix="casework-bench-") as name:
        folder = Path(name)
        plain = Floor(name="lxml write alone, s", value=seconds(partial(_plain_write, folder / "floor.xml", count)))
        before = _peak_kib()
        written = seconds(partial(_write, folder, count))
        grown = (_peak_kib() - before) / 1024
        checked = seconds(partial(_check, folder, count))
        _report(folder / "report.xml", count)
        matched = seconds(partial(_match, folder / "report.xml", count))
    limit = 10.0 * count / DEBITS
    said = f"{count:,} debits to a checked pain.008"
    yield Figure(name=said, value=written + checked, unit="s", floor=plain, at_most=limit, ratio_at_most=2.0)
    yield Figure(name="of it writing", value=written, unit="s", floor=plain)
    yield Figure(name="memory that writing adds", value=grown, unit="MiB", at_most=16.0)
    yield Figure(name=f"{count:,} replies read and matched", value=matched, unit="s", at_most=limit)


def _orders(count: int) -> Iterator[DebitOrder]:
    for number in range(count):
        yield DebitOrder(
            end_to_end_id=f"CW{number:010d}",
            instruction_id=f"dbo-{number:010d}",
            mandate_id=f"mdt-{number:010d}",
            mandate_signed=SIGNED,
            amount_minor=100_00 + number,
            currency="CNY",
            debtor_name="测试·客户",
            debtor_account=f"62220000{number:011d}",
            debtor_bank=BANK,
            remittance="分期还款 第3期",
        )


def _write(folder: Path, count: int) -> None:
    batch = DebitBatch(
        batch_id=f"{MESSAGE}-RCUR",
        creditor=Creditor(name="办件演示银行", account="10000000000000001", bank=BANK),
        requested_date=DAY,
        sequence=Sequence.RECURRING,
        currency="CNY",
        count=count,
        sum_minor=count * 100_00 + count * (count - 1) // 2,
        debits=_orders(count),
    )
    made = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
    file = DebitFile(
        message_id=MESSAGE, created_at=made, file_name="debits.xml", initiator="办件演示银行", batches=(batch,)
    )
    write_pain008(file, profile=GENERIC_CNY, folder=folder)


def _check(folder: Path, count: int) -> None:
    report = check_pain008(
        folder / "debits.xml", profile=GENERIC_CNY, as_of=DAY, is_bank_day=lambda day: day.weekday() < 5
    )
    if not report.ok or report.count != count:
        raise RuntimeError(f"the file is not sound: {report.faults[:3]}")


def _plain_write(path: Path, count: int) -> None:
    child = etree.SubElement
    with path.open("wb") as file, etree.xmlfile(file, encoding="utf-8") as xml, xml.element("Document"):
        for number in range(count):
            root = etree.Element("DrctDbtTxInf")
            ids = child(root, "PmtId")
            child(ids, "InstrId").text = f"dbo-{number:010d}"
            child(ids, "EndToEndId").text = f"CW{number:010d}"
            child(root, "InstdAmt", Ccy="CNY").text = f"{100 + number // 100}.{number % 100:02d}"
            mandate = child(child(root, "DrctDbtTx"), "MndtRltdInf")
            child(mandate, "MndtId").text = f"mdt-{number:010d}"
            child(mandate, "DtOfSgntr").text = SIGNED.isoformat()
            member = child(child(child(root, "DbtrAgt"), "FinInstnId"), "ClrSysMmbId")
            child(child(member, "ClrSysId"), "Cd").text = "CNAPS"
            child(member, "MmbId").text = BANK
            child(child(root, "Dbtr"), "Nm").text = "测试·客户"
            other = child(child(child(root, "DbtrAcct"), "Id"), "Othr")
            child(other, "Id").text = f"62220000{number:011d}"
            child(child(root, "RmtInf"), "Ustrd").text = "分期还款 第3期"
            xml.write(root)


def _report(path: Path, count: int) -> None:
    space = "urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"
    with path.open("w", encoding="utf-8") as file:
        file.write(f'<Document xmlns="{space}"><CstmrPmtStsRpt><GrpHdr><MsgId>R1</MsgId></GrpHdr>')
        file.write(f"<OrgnlGrpInfAndSts><OrgnlMsgId>{MESSAGE}</OrgnlMsgId></OrgnlGrpInfAndSts>")
        file.write(f"<OrgnlPmtInfAndSts><OrgnlPmtInfId>{MESSAGE}-RCUR</OrgnlPmtInfId>\n")
        for number in range(count):
            refused = hashlib.sha256(str(number).encode()).digest()[0] < 12
            status = "RJCT" if refused else "ACCP"
            why = "<StsRsnInf><Rsn><Cd>AM04</Cd></Rsn></StsRsnInf>" if refused else ""
            file.write(
                f"<TxInfAndSts><OrgnlInstrId>dbo-{number:010d}</OrgnlInstrId>"
                f"<OrgnlEndToEndId>CW{number:010d}</OrgnlEndToEndId><TxSts>{status}</TxSts>{why}</TxInfAndSts>\n"
            )
        file.write("</OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>")


def _match(path: Path, count: int) -> None:
    sent = index_orders(
        SentOrder(
            order_id=f"dbo-{number:010d}",
            message_id=MESSAGE,
            batch_id=f"{MESSAGE}-RCUR",
            instruction_id=f"dbo-{number:010d}",
            end_to_end_id=f"CW{number:010d}",
            amount_minor=100_00 + number,
            currency="CNY",
        )
        for number in range(count)
    )
    found = sum(len(match(item, sent=sent).orders) for item in open_replies(path))
    if found != count:
        raise RuntimeError(f"{found} of {count} replies were matched")


def _peak_kib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
