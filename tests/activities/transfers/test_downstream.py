"""What lies downstream gets each changed record exactly once, and nobody in clear."""

import csv
import json
from datetime import UTC, datetime
from io import BytesIO, StringIO
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from activities.transfers.downstream import Downstream
from activities.transfers.downstream_content import ChangedRecord, content_of
from compliance.vault.framing import framed
from models.contracts.transfers import ChunkStep
from models.domain.spreadsheets import restored
from models.domain.transfers.consumers import Consumer, ConsumerForm, ConsumerKind
from models.errors import GatewayUnavailable
from models.tables.transfer_waves import TransferHandover
from tests.support.kills import Killed, killing
from tests.support.transfer_waves import JOB, WaveOffice, persons

KEY = X25519PrivateKey.generate()


class Crm:
    """A receiver that takes a key once, and may be away."""

    def __init__(self) -> None:
        self.taken: dict[str, bytes] = {}
        self.away = False

    def __call__(self, url: str, content: bytes, *, key: str, media_type: str) -> int:
        assert (url, media_type) == ("https://crm.example.com/hook", "application/json")
        if self.away:
            raise GatewayUnavailable
        if key in self.taken:
            return 409
        self.taken[key] = content
        return 201


@pytest.fixture
def crm() -> Crm:
    return Crm()


@pytest.fixture
def office(database, vault, clock, crm: Crm, tmp_path: Path) -> WaveOffice:
    office = WaveOffice(database, vault, clock, downstream=Downstream(tmp_path / "exchange", crm))
    office.plan["consumers"] = [
        {"name": "warehouse", "kind": "parquet", "form": "pseudonymous"},
        {"name": "core", "kind": "csv", "form": "sealed", "publicKey": KEY.public_key().public_bytes_raw().hex()},
        {"name": "crm", "kind": "hook", "form": "pseudonymous", "url": "https://crm.example.com/hook"},
    ]
    office.open()
    [theirs] = persons(1, prefix="T")
    [record] = office.book([{k: v for k, v in theirs.items() if k != "email"}])
    office.rows(persons(60, prefix="S"), into={0: record})
    office.plan_waves()
    office.run(1)
    office.run(2)
    return office


def hand(office: WaveOffice) -> None:
    done = office.steps.hand_downstream(ChunkStep(job=JOB))
    assert (done.after, done.stopped) == (None, None)


def files(office: WaveOffice) -> dict[str, Path]:
    assert office.downstream is not None
    return {path.name: path for path in office.downstream.folder.rglob("*") if path.is_file()}


def test_every_consumer_gets_every_changed_record_once(office: WaveOffice, crm: Crm) -> None:
    hand(office)
    hand(office)
    tables = [pq.read_table(path).to_pylist() for name, path in sorted(files(office).items()) if "parquet" in name]
    rows = [row for table in tables for row in table]
    assert len(rows) == len({row["record"] for row in rows}) == 60
    assert sorted(row["change"] for row in rows) == ["insert"] * 59 + ["update"]
    assert len(crm.taken) == 2
    told = [row for content in crm.taken.values() for row in json.loads(content)["records"]]
    assert len(told) == 60
    assert {row["record"] for row in told}.isdisjoint({row["record"] for row in rows}), "no two can join what they have"
    assert [part.state for part in office.all_of(TransferHandover)] == ["handed"] * 6


def test_a_sealed_part_opens_for_its_consumer_alone_and_no_clear_value_lies_anywhere(office: WaveOffice) -> None:
    hand(office)
    part = next(each for each in office.all_of(TransferHandover) if (each.consumer, each.wave) == ("core", 1))
    suite = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
    opened = suite.decrypt(files(office)["wave-0001-1-0001.csv.hpke"].read_bytes(), KEY, info=framed(part.id))
    rows = list(csv.DictReader(opened.decode().splitlines()))
    assert rows[5]["name"] == persons(60, prefix="S")[5]["name"]
    for path in files(office).values():
        content = path.read_bytes()
        if path.suffix == ".parquet":
            content = json.dumps(pq.read_table(BytesIO(content)).to_pylist(), ensure_ascii=False).encode()
        for person in persons(60, prefix="S"):
            assert person["name"].encode() not in content
            assert person["id_number"].encode() not in content


def test_a_hook_that_is_away_is_tried_again_and_gets_nothing_twice(office: WaveOffice, crm: Crm) -> None:
    crm.away = True
    with pytest.raises(GatewayUnavailable):
        hand(office)
    crm.away = False
    hand(office)
    assert len(crm.taken) == 2


def test_killed_behind_any_commit_a_part_is_handed_over_once_under_its_name(
    office: WaveOffice, crm: Crm, monkeypatch: pytest.MonkeyPatch
) -> None:
    with killing(monkeypatch, 2) as killer:
        while True:
            try:
                hand(office)
                break
            except Killed:
                continue
    assert killer.kills >= 5
    assert len(crm.taken) == 2
    assert len(files(office)) == 4
    assert {part.state for part in office.all_of(TransferHandover)} == {"handed"}


def test_a_wave_that_was_rolled_back_is_not_handed_on_and_its_next_attempt_is(office: WaveOffice, crm: Crm) -> None:
    office.undo(2)
    hand(office)
    assert len(crm.taken) == 1
    office.run(2, attempt=2)
    hand(office)
    assert len(crm.taken) == 2


@pytest.mark.parametrize("text", ["＝cmd|' /C calc'!A0", "=1+1", " @SUM(A1)", "\t-2+3", "+1-2"])
def test_a_text_that_a_spreadsheet_would_run_is_harmless_in_csv_and_as_it_is_in_parquet(text: str) -> None:
    """S14; numbers stay numbers, since nobody could dial a mobile number with an apostrophe."""
    values = {"name": "王明", "address": text, "mobile": "+8613800000001"}
    changed = ChangedRecord("cus_1", "insert", 1, datetime(2026, 11, 1, tzinfo=UTC), values)
    public = KEY.public_key().public_bytes_raw().hex()
    opened = {}
    for kind in (ConsumerKind.CSV, ConsumerKind.PARQUET):
        consumer = Consumer(name="core", kind=kind, form=ConsumerForm.SEALED, public_key=public)
        part = content_of(consumer, [changed], key=b"k" * 32, name="tho_1")
        suite = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
        opened[kind] = suite.decrypt(part, KEY, info=framed("tho_1"))
    [row] = csv.DictReader(StringIO(opened[ConsumerKind.CSV].decode(), newline=""))
    assert (row["address"], restored(row["address"])) == (f"'{text}", text)
    assert int(row["mobile"]) == 8613800000001
    [row] = pq.read_table(BytesIO(opened[ConsumerKind.PARQUET])).to_pylist()
    assert row["address"] == text
