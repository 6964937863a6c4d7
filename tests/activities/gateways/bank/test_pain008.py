"""Debit files: what is written is read, sound by schema and by rules; the same values are the same bytes."""

import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree
from sepaxml import SepaDD

from activities.gateways.bank.checks import check_pain008
from activities.gateways.bank.orders import DebitFile
from activities.gateways.bank.pain008 import write_pain008
from activities.gateways.bank.profiles import GENERIC_CNY, PAIN_008_02, SEPA, BankProfile, Sequence
from activities.gateways.bank.whole_file import digest_of
from deploy.demo.mock_bank import demo_iban
from models.errors import BankFileInvalid
from tests.support.bank_files import TODAY, debit, debit_file, euro_debit, every_weekday, schema_of

PROFILES = [
    pytest.param(GENERIC_CNY, id="generic-cny"),
    pytest.param(GENERIC_CNY.speaking(PAIN_008_02), id="generic-cny-02"),
    pytest.param(SEPA, id="sepa"),
    pytest.param(SEPA.speaking(PAIN_008_02), id="sepa-02"),
]


def _faults(path: Path, profile: BankProfile = GENERIC_CNY, *, as_of: date = TODAY, xsd: bool = True) -> dict[str, str]:
    schema = schema_of(profile.pain008) if xsd else None
    report = check_pain008(path, profile=profile, as_of=as_of, is_bank_day=every_weekday, schema=schema)
    return {fault.pointer: fault.code for fault in report.faults}


@pytest.mark.parametrize("profile", PROFILES)
def test_a_written_file_is_sound_by_schema_and_by_rules(tmp_path: Path, profile: BankProfile) -> None:
    make = euro_debit if profile.currency == "EUR" else debit
    debits = [make(1), make(2, debtor_bank=""), make(3, remittance="")]
    written = write_pain008(debit_file(*debits, profile=profile), profile=profile, folder=tmp_path)
    report = check_pain008(
        written.path, profile=profile, as_of=TODAY, is_bank_day=every_weekday, schema=schema_of(profile.pain008)
    )
    assert report.faults == ()
    assert (report.count, report.sum_minor, report.message_id) == (3, 300_06, "main-20261123-001")
    assert (written.count, written.sum_minor, written.digest) == (3, 300_06, digest_of(written.path))
    assert written.size_bytes == written.path.stat().st_size
    assert list(tmp_path.iterdir()) == [written.path]


def test_the_schema_alone_agrees(tmp_path: Path) -> None:
    written = write_pain008(debit_file(debit(1), debit(2)), profile=GENERIC_CNY, folder=tmp_path)
    etree.XMLSchema(file=str(schema_of(GENERIC_CNY.pain008))).assertValid(etree.parse(str(written.path)))


_CHINESE = st.text(st.sampled_from("张王李赵·，。&<>'\"0aZ 第期"), min_size=1, max_size=60).map(str.strip).filter(bool)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.tuples(st.integers(1, 10**12), _CHINESE, st.booleans()), min_size=1, max_size=8))
def test_what_is_written_is_read_back(tmp_path: Path, drawn: list[tuple[int, str, bool]]) -> None:
    debits = [
        debit(number, amount_minor=amount, debtor_name=name, debtor_bank="102100099996" if bank else "")
        for number, (amount, name, bank) in enumerate(drawn)
    ]
    written = write_pain008(debit_file(*debits), profile=GENERIC_CNY, folder=tmp_path)
    report = check_pain008(
        written.path,
        profile=GENERIC_CNY,
        as_of=TODAY,
        is_bank_day=every_weekday,
        schema=schema_of(GENERIC_CNY.pain008),
    )
    assert report.faults == ()
    assert (report.count, report.sum_minor) == (len(drawn), sum(amount for amount, _, _ in drawn))
    names = etree.parse(str(written.path)).iterfind(".//{*}Dbtr/{*}Nm")
    assert [name.text for name in names] == [name for _, name, _ in drawn]


@pytest.mark.parametrize("version", ["pain.008.001.02", "pain.008.001.08"])
def test_files_of_another_writer_are_sound_for_our_checks(tmp_path: Path, version: str) -> None:
    config = {
        "name": "Casework Demo",
        "IBAN": demo_iban("CASEWORK00"),
        "BIC": "MOCKNL2A",
        "batch": True,
        "creditor_id": "NL00ZZZ123456780000",
        "currency": "EUR",
    }
    writer = SepaDD(config, schema=version, clean=False)
    for number in range(1, 6):
        payment = {
            "name": "Test Person",
            "IBAN": demo_iban(f"{number:010d}"),
            "BIC": "MOCKNL2A",
            "amount": 1000 + number,
            "type": "RCUR" if number % 2 else "FRST",
            "collection_date": TODAY,
            "mandate_id": f"mdt-{number}",
            "mandate_date": date(2026, 1, 5),
            "description": "Installment 3",
            "endtoend_id": f"CW{number}",
        }
        writer.add_payment(payment)
    path = tmp_path / "other.xml"
    path.write_bytes(writer.export(validate=False))
    profile = SEPA.speaking(version)
    report = check_pain008(path, profile=profile, as_of=TODAY, is_bank_day=every_weekday, schema=schema_of(version))
    assert report.faults == ()
    assert (report.count, report.sum_minor) == (5, 5015)


# Faults --------------------------------------------------------------------------------------------------------------


def _edited(tmp_path: Path, *edits: tuple[str, str], file: DebitFile | None = None) -> Path:
    written = write_pain008(file or debit_file(debit(1), debit(2)), profile=GENERIC_CNY, folder=tmp_path)
    text = written.path.read_text(encoding="utf-8")
    for old, new in edits:
        assert old in text
        text = text.replace(old, new, 1)
    path = tmp_path / "edited.xml"
    path.write_text(text, encoding="utf-8")
    return path


_BATCH = "/CstmrDrctDbtInitn/PmtInf/0"
_HEADER = "/CstmrDrctDbtInitn/GrpHdr"


@pytest.mark.parametrize(
    ("edit", "pointer", "code"),
    [
        (("<NbOfTxs>2", "<NbOfTxs>3"), f"{_HEADER}/NbOfTxs", "bank-count"),
        (("<CtrlSum>200.03", "<CtrlSum>200.02"), f"{_HEADER}/CtrlSum", "bank-sum"),
        (("CW00000002", "CW00000001"), f"{_BATCH}/DrctDbtTxInf/1/PmtId/EndToEndId", "bank-duplicate"),
        (("CW00000002", "CW//2"), f"{_BATCH}/DrctDbtTxInf/1/PmtId/EndToEndId", "bank-identifier"),
        (('Ccy="CNY">', 'Ccy="EUR">'), f"{_BATCH}/DrctDbtTxInf/0/InstdAmt", "bank-currency"),
        (("62220000", "6222000X"), f"{_BATCH}/DrctDbtTxInf/0/DbtrAcct/Id", "bank-account"),
        (("<MndtId>mdt-000002</MndtId>", ""), f"{_BATCH}/DrctDbtTxInf/1/DrctDbtTx/MndtRltdInf/MndtId", "bank-required"),
        (
            ("<DtOfSgntr>2026-01-05", "<DtOfSgntr>2027-01-05"),
            f"{_BATCH}/DrctDbtTxInf/0/DrctDbtTx/MndtRltdInf/DtOfSgntr",
            "bank-mandate-date",
        ),
        (("<ReqdColltnDt>2026-11-23", "<ReqdColltnDt>2026-11-20"), f"{_BATCH}/ReqdColltnDt", "bank-date-past"),
        (("<ReqdColltnDt>2026-11-23", "<ReqdColltnDt>2026-11-28"), f"{_BATCH}/ReqdColltnDt", "bank-bank-day"),
        (("<SeqTp>RCUR", "<SeqTp>RPRE"), f"{_BATCH}/PmtTpInf/SeqTp", "bank-sequence"),
        (
            ("</PmtId><InstdAmt", "</PmtId><PmtTpInf><SeqTp>FRST</SeqTp></PmtTpInf><InstdAmt"),
            f"{_BATCH}/DrctDbtTxInf/0/PmtTpInf/SeqTp",
            "bank-sequence-mixed",
        ),
        (("<MmbId>102100099996", "<MmbId>1"), f"{_BATCH}/CdtrAgt/FinInstnId/ClrSysMmbId/MmbId", "bank-bank-code"),
        (("<MsgId>main", "<MsgId>/main"), f"{_HEADER}/MsgId", "bank-identifier"),
    ],
)  # fmt: skip
def test_one_thing_wrong_is_found_at_its_place(tmp_path: Path, edit: tuple[str, str], pointer: str, code: str) -> None:
    # The totals can be wrong as a consequence; the place itself must be named, and no other debit.
    found = _faults(_edited(tmp_path, edit), xsd=False)
    assert found[pointer] == code
    assert {each for each in found if each != pointer} <= {
        f"{_HEADER}/CtrlSum",
        f"{_BATCH}/CtrlSum",
        f"{_BATCH}/NbOfTxs",
    }


def test_all_faults_are_listed_not_the_first_alone(tmp_path: Path) -> None:
    path = _edited(tmp_path, ("<NbOfTxs>2", "<NbOfTxs>9"), ("CW00000001", "编"), ("<SeqTp>RCUR", "<SeqTp>WHAT"))
    schema = schema_of(GENERIC_CNY.pain008)
    report = check_pain008(path, profile=GENERIC_CNY, as_of=TODAY, is_bank_day=every_weekday, schema=schema)
    codes = {fault.code for fault in report.faults}
    assert codes == {"bank-count", "bank-identifier", "bank-sequence", "bank-schema"}


def test_what_the_schema_does_not_allow_is_named_by_its_place(tmp_path: Path) -> None:
    path = _edited(tmp_path, ("<DtOfSgntr>2026-01-05", "<DtOfSgntr>Secret"), ("<PmtMtd>DD", "<PmtMtd>Secret"))
    schema = schema_of(GENERIC_CNY.pain008)
    report = check_pain008(path, profile=GENERIC_CNY, as_of=TODAY, is_bank_day=every_weekday, schema=schema)
    found = {(fault.pointer, fault.params["line"]) for fault in report.faults if fault.code == "bank-schema"}
    signed = f"{_BATCH}/DrctDbtTxInf/0/DrctDbtTx/MndtRltdInf/DtOfSgntr"
    assert found == {(f"{_BATCH}/PmtMtd", 3), (signed, 4)}
    assert "Secret" not in repr(report)


def test_a_fault_never_repeats_the_value(tmp_path: Path) -> None:
    path = _edited(tmp_path, ("62220000000", "secret-account-"), ("测试·客户", "Secret\u00e4Person"))
    schema = schema_of(GENERIC_CNY.pain008)
    report = check_pain008(path, profile=GENERIC_CNY, as_of=TODAY, is_bank_day=every_weekday, schema=schema)
    assert {fault.code for fault in report.faults} == {"bank-charset", "bank-account"}
    assert "ecret" not in repr(report)
    with pytest.raises(BankFileInvalid) as refused:
        report.require_ok()
    assert "ecret" not in f"{refused.value!r} {refused.value}"


def test_two_batches_of_one_id_are_found(tmp_path: Path) -> None:
    one = debit_file(debit(1))
    other = debit_file(debit(2)).batches[0]
    written = write_pain008(replace(one, batches=(*one.batches, other)), profile=GENERIC_CNY, folder=tmp_path)
    assert _faults(written.path) == {"/CstmrDrctDbtInitn/PmtInf/1/PmtInfId": "bank-duplicate"}


def test_an_end_to_end_id_is_unique_across_batches(tmp_path: Path) -> None:
    one, other = debit_file(debit(1)), debit_file(debit(1), sequence=Sequence.FIRST).batches[0]
    written = write_pain008(replace(one, batches=(*one.batches, other)), profile=GENERIC_CNY, folder=tmp_path)
    assert set(_faults(written.path).values()) == {"bank-duplicate"}


def test_a_file_without_debits_is_refused(tmp_path: Path) -> None:
    written = write_pain008(replace(debit_file(debit(1)), batches=()), profile=GENERIC_CNY, folder=tmp_path)
    assert _faults(written.path, xsd=False) == {"/CstmrDrctDbtInitn/PmtInf": "bank-empty"}


@pytest.mark.parametrize("xsd", [False, True])
@pytest.mark.parametrize("kept", [10, 400, 20_000, -1, -10, -200])
def test_a_file_cut_off_is_refused(tmp_path: Path, kept: int, xsd: bool) -> None:
    written = write_pain008(debit_file(*map(debit, range(1, 50))), profile=GENERIC_CNY, folder=tmp_path)
    written.path.write_bytes(written.path.read_bytes()[:kept])
    schema = schema_of(GENERIC_CNY.pain008) if xsd else None
    report = check_pain008(written.path, profile=GENERIC_CNY, as_of=TODAY, is_bank_day=every_weekday, schema=schema)
    assert "bank-xml" in [fault.code for fault in report.faults]


def test_the_wrong_message_is_one_clear_fault(tmp_path: Path) -> None:
    written = write_pain008(debit_file(debit(1)), profile=GENERIC_CNY, folder=tmp_path)
    report = check_pain008(written.path, profile=SEPA.speaking(PAIN_008_02), as_of=TODAY, is_bank_day=every_weekday)
    assert [(fault.code, fault.params) for fault in report.faults] == [("bank-message", {"expected": PAIN_008_02})]


def test_a_calendar_that_does_not_know_the_year_stops_the_check(tmp_path: Path) -> None:
    written = write_pain008(debit_file(debit(1)), profile=GENERIC_CNY, folder=tmp_path)

    def unknown(_: date) -> bool:
        raise LookupError("2026 is not announced")

    with pytest.raises(LookupError):
        check_pain008(written.path, profile=GENERIC_CNY, as_of=TODAY, is_bank_day=unknown)


# Whole or not at all -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("change", [{"count": 3}, {"sum_minor": 1}])
def test_a_file_that_is_not_what_was_stated_does_not_appear(tmp_path: Path, change: dict[str, int]) -> None:
    file = debit_file(debit(1), debit(2))
    wrong = replace(file, batches=(replace(file.batches[0], **change),))  # type: ignore[arg-type]
    with pytest.raises(BankFileInvalid) as refused:
        write_pain008(wrong, profile=GENERIC_CNY, folder=tmp_path)
    assert {fault.code for fault in refused.value.faults} <= {"bank-count", "bank-sum"}
    assert list(tmp_path.iterdir()) == []


def test_a_value_that_cannot_stand_in_xml_is_named_by_its_place(tmp_path: Path) -> None:
    with pytest.raises(BankFileInvalid) as refused:
        write_pain008(debit_file(debit(1), debit(2, debtor_name="a\x00b")), profile=GENERIC_CNY, folder=tmp_path)
    assert [fault.pointer for fault in refused.value.faults] == ["/batches/0/debits/1"]
    assert list(tmp_path.iterdir()) == []


def test_the_same_values_are_the_same_bytes(tmp_path: Path) -> None:
    file = debit_file(*map(debit, range(1, 20)))
    first = write_pain008(file, profile=GENERIC_CNY, folder=tmp_path)
    content = first.path.read_bytes()
    again = write_pain008(file, profile=GENERIC_CNY, folder=tmp_path)
    assert (again.digest, again.path.read_bytes()) == (first.digest, content)


_KILLED = """
import os, sys
from dataclasses import replace
from pathlib import Path
from activities.gateways.bank.pain008 import write_pain008
from activities.gateways.bank.profiles import GENERIC_CNY
from tests.support.bank_files import debit, debit_file

def debits():
    for number in range(1, 2001):
        if number == 1500:
            os.kill(os.getpid(), 9)
        yield debit(number)

file = debit_file(*map(debit, range(1, 2001)))
batch = replace(file.batches[0], debits=debits())
write_pain008(replace(file, batches=(batch,)), profile=GENERIC_CNY, folder=Path(sys.argv[1]))
"""


def test_killed_in_the_middle_and_written_again_it_is_the_same_file(tmp_path: Path) -> None:
    undisturbed, disturbed = tmp_path / "undisturbed", tmp_path / "disturbed"
    undisturbed.mkdir()
    disturbed.mkdir()
    file = debit_file(*map(debit, range(1, 2001)))
    whole = write_pain008(file, profile=GENERIC_CNY, folder=undisturbed)
    killed = subprocess.run([sys.executable, "-c", _KILLED, str(disturbed)], cwd=Path(__file__).parents[4], check=False)
    assert killed.returncode == -9
    (left,) = disturbed.iterdir()
    assert left.name.startswith(".")
    assert left.name.endswith(".part")
    again = write_pain008(file, profile=GENERIC_CNY, folder=disturbed)
    assert again.path.read_bytes() == whole.path.read_bytes()


_FLAT = """
import resource, sys
from dataclasses import replace
from pathlib import Path
from activities.gateways.bank.pain008 import write_pain008
from activities.gateways.bank.profiles import GENERIC_CNY
from tests.support.bank_files import debit, debit_file

def written(count):
    file = debit_file(debit(1))
    total = sum(100_00 + number for number in range(count))
    batch = replace(file.batches[0], debits=map(debit, range(count)), count=count, sum_minor=total)
    made = write_pain008(replace(file, batches=(batch,)), profile=GENERIC_CNY, folder=Path(sys.argv[1]))
    return made.size_bytes, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

small = written(1_000)
print(*small, *written(100_000))
"""


def test_memory_does_not_grow_with_100_000_debits(tmp_path: Path) -> None:
    command: list[Any] = [sys.executable, "-c", _FLAT, str(tmp_path)]
    done = subprocess.run(command, cwd=Path(__file__).parents[4], check=True, capture_output=True, text=True)
    _, small_kib, size, kib = map(int, done.stdout.split())
    assert size > 40_000_000
    assert kib - small_kib < 8_000
