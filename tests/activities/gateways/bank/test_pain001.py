"""Credit transfer files: sound by schema and rules; the same values, the same bytes; each fault with path and rule."""

from datetime import date
from pathlib import Path

import pytest
from sepaxml import SepaTransfer

from activities.gateways.bank.fields import FieldRules
from activities.gateways.bank.initiation_checks import CheckReport
from activities.gateways.bank.pain001 import write_pain001
from activities.gateways.bank.profiles import GENERIC_CNY, SEPA, BankProfile
from activities.gateways.bank.transfer_checks import check_pain001
from activities.gateways.bank.transfers import transfer_faults
from activities.gateways.bank.whole_file import digest_of
from deploy.demo.mock_bank import demo_iban
from models.errors import BankFileInvalid
from tests.support.bank_files import TODAY, euro_transfer, every_weekday, schema_of, transfer, transfer_file

PROFILES = [pytest.param(GENERIC_CNY, id="generic-cny"), pytest.param(SEPA, id="sepa")]


def _check(path: Path, profile: BankProfile = GENERIC_CNY, *, as_of: date = TODAY, xsd: bool = True) -> CheckReport:
    schema = schema_of(profile.pain001) if xsd else None
    return check_pain001(path, profile=profile, as_of=as_of, is_bank_day=every_weekday, schema=schema)


@pytest.mark.parametrize("profile", PROFILES)
def test_a_written_file_is_sound_and_the_same_values_are_the_same_bytes(tmp_path: Path, profile: BankProfile) -> None:
    make = euro_transfer if profile is SEPA else transfer
    transfers = [make(1), make(2, creditor_bank=""), make(3, remittance="")]
    written = write_pain001(transfer_file(*transfers, profile=profile), profile=profile, folder=tmp_path)
    report = _check(written.path, profile)
    assert report.faults == ()
    assert (report.count, report.sum_minor, report.message_id) == (3, 600_06, "main-20261123-001")
    assert written.digest == digest_of(written.path)
    again = write_pain001(transfer_file(*transfers, profile=profile), profile=profile, folder=tmp_path)
    assert again == written


def test_files_of_another_writer_are_sound_for_our_checks(tmp_path: Path) -> None:
    config = {"name": "Casework Demo", "IBAN": demo_iban("CASEWORK00"), "BIC": "MOCKNL2A", "batch": True}
    writer = SepaTransfer(config | {"currency": "EUR"}, schema="pain.001.001.09", clean=False)
    for number in range(1, 6):
        payment = {
            "name": "Test Worker",
            "IBAN": demo_iban(f"{number:010d}"),
            "BIC": "MOCKNL2A",
            "amount": 1000 + number,
            "execution_date": TODAY,
            "description": "Wages",
            "endtoend_id": f"CT{number}",
        }
        writer.add_payment(payment)
    path = tmp_path / "other.xml"
    path.write_bytes(writer.export(validate=True))
    report = _check(path, SEPA)
    assert report.faults == ()
    assert (report.count, report.sum_minor) == (5, 5015)


def test_every_fault_of_a_file_is_listed_with_its_path_and_rule(tmp_path: Path) -> None:
    file = transfer_file(transfer(1), transfer(2), transfer(3), on=date(2026, 11, 28))
    written = write_pain001(file, profile=GENERIC_CNY, folder=tmp_path)
    text = written.path.read_text()
    text = text.replace("62330000" + "1".zfill(11), "nobody").replace("CT00000003", "CT00000002")
    text = text.replace("<Nm>测试·职工</Nm>", "<Nm> </Nm>", 1).replace(">200.02<", ">0.00<")
    text = text.replace("<CtrlSum>600.06", "<CtrlSum>600.07", 1).replace("<NbOfTxs>3", "<NbOfTxs>4", 1)
    written.path.write_text(text)
    faults = {fault.pointer: fault.code for fault in _check(written.path, xsd=False).faults}
    root, batch = "/CstmrCdtTrfInitn", "/CstmrCdtTrfInitn/PmtInf/0"
    assert faults == {
        f"{batch}/ReqdExctnDt/Dt": "bank-bank-day",
        f"{batch}/CdtTrfTxInf/0/Cdtr/Nm": "bank-required",
        f"{batch}/CdtTrfTxInf/0/CdtrAcct/Id": "bank-account",
        f"{batch}/CdtTrfTxInf/1/Amt/InstdAmt": "bank-amount",
        f"{batch}/CdtTrfTxInf/2/PmtId/EndToEndId": "bank-duplicate",
        f"{batch}/CtrlSum": "bank-sum",
        f"{root}/GrpHdr/CtrlSum": "bank-sum",
        f"{root}/GrpHdr/NbOfTxs": "bank-count",
    }


def test_a_transfer_that_the_bank_would_not_read_is_named_before_the_file_is_written() -> None:
    rules = FieldRules(SEPA)
    order = euro_transfer(1, creditor_account="NL00MOCK0000000001", creditor_name="测试", amount_minor=0)
    found = {fault.pointer: fault.code for fault in transfer_faults(order, rules=rules, profile=SEPA)}
    assert found == {
        "/creditorName": "bank-charset",
        "/creditorAccount": "bank-iban",
        "/amountMinor": "bank-amount",
    }
    assert "测试" not in repr(order)


def test_a_batch_of_another_sum_than_stated_leaves_no_file(tmp_path: Path) -> None:
    file = transfer_file(transfer(1), transfer(2))
    object.__setattr__(file.batches[0], "sum_minor", 1)
    with pytest.raises(BankFileInvalid) as refused:
        write_pain001(file, profile=GENERIC_CNY, folder=tmp_path)
    assert [fault.code for fault in refused.value.faults] == ["bank-sum"]
    assert list(tmp_path.iterdir()) == []
