"""The core behind a folder: names and bytes of orders, answers that are not to be trusted, broken files aside."""

import json
from datetime import date
from pathlib import Path

import pytest

from activities.gateways.core import Card
from activities.gateways.core_files import CoreFolder, FileCore, answer_name
from activities.gateways.core_format import journal_text
from activities.gateways.simulated_core import SimulatedCore
from activities.gateways.simulated_core_files import answer_orders
from models.domain.core_journal import JournalFile, JournalLine, control_totals
from models.errors import CoreFileUnreadable, GatewayRefused, GatewayUnavailable

DAY = date(2026, 11, 23)
CARD = Card("main", "6229990000001230")
KEY = "core.block_card/main.00000000000000000000000000"
LINES = tuple(
    JournalLine(reference=f"GL-{no}", account=account, amount_minor=amount)
    for no, (account, amount) in enumerate([("principal", 150_000), ("cash", -149_000), ("fees", -1_000)])
)
JOURNAL = JournalFile(tenant="main", business_date=DAY, currency="CNY", lines=LINES, control=control_totals(LINES))


@pytest.fixture
def folder(tmp_path: Path) -> CoreFolder:
    made = CoreFolder(tmp_path, tenant="main")
    made.make()
    return made


@pytest.fixture
def core(tmp_path: Path) -> FileCore:
    return FileCore(tmp_path)


def waiting(core: FileCore) -> None:
    with pytest.raises(GatewayUnavailable):
        core.block(CARD, key=KEY)


def answer(folder: CoreFolder, **members: object) -> None:
    told = {"key": KEY, "kind": "block-card", "result": "done", "reference": "B-1"} | members
    folder.answer_file(KEY).write_text(json.dumps({name: value for name, value in told.items() if value is not ...}))


def test_an_order_is_one_file_under_its_key_with_the_same_bytes_each_time(core: FileCore, folder: CoreFolder) -> None:
    waiting(core)
    (path,) = folder.orders.iterdir()
    assert path.name == "core.block_card+main.00000000000000000000000000.json"
    first = path.read_bytes()
    assert json.loads(first) == {"key": KEY, "kind": "block-card", "tenant": "main", "card": CARD.number}
    written = path.stat().st_mtime_ns
    waiting(core)
    assert (path.read_bytes(), path.stat().st_mtime_ns) == (first, written)
    path.unlink()  # the core took it away before it answered
    waiting(core)
    assert path.read_bytes() == first


def test_with_the_answer_the_card_number_leaves_the_folder(core: FileCore, folder: CoreFolder, tmp_path: Path) -> None:
    waiting(core)
    answer(folder)
    assert core.block(CARD, key=KEY).reference == "B-1"
    assert core.block(CARD, key=KEY).reference == "B-1"
    left = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert left == [folder.answer_file(KEY)]
    assert CARD.number not in left[0].read_text()


@pytest.mark.parametrize("key", ["", "../etc/passwd", "/absolute", "a b", "a+b", "k\n", "k" * 121, "客户"])
def test_a_key_that_gives_no_file_name_is_refused(core: FileCore, key: str) -> None:
    with pytest.raises(ValueError, match="no file name"):
        core.block(CARD, key=key)


def test_two_keys_never_share_a_file() -> None:
    keys = ["a/b", "a.b", "a-b", "a_b", "ab"]
    assert len({answer_name(key) for key in keys}) == len(keys)


@pytest.mark.parametrize("tenant", ["", "..", "a/b", "MAIN"])
def test_a_tenant_that_is_none_leads_nowhere(core: FileCore, tenant: str) -> None:
    with pytest.raises(ValueError, match="tenant"):
        core.journal(tenant=tenant, business_date=DAY)


def test_another_card_under_a_waiting_key_is_refused(core: FileCore) -> None:
    waiting(core)
    with pytest.raises(GatewayRefused) as refused:
        core.block(Card("main", "6259990000001237"), key=KEY)
    assert refused.value.params["reason"] == "key-reused"


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({"reference": ...}, "reference"),
        ({"reference": "张三 13812345678"}, "reference"),
        ({"result": "perhaps"}, "result"),
        ({"result": ...}, "result"),
        ({"result": "refused", "reason": "Mr Zhang did not agree"}, "reason"),
        ({"agenciesPending": -1}, "agenciesPending"),
        ({"agenciesPending": "2"}, "agenciesPending"),
        ({"holder": "张三"}, "answer"),
    ],
)
def test_an_answer_that_breaks_its_form_goes_aside_and_the_order_waits_on(
    core: FileCore, folder: CoreFolder, members: dict[str, object], field: str
) -> None:
    waiting(core)
    answer(folder, **members)
    with pytest.raises(CoreFileUnreadable) as broken:
        core.block(CARD, key=KEY)
    assert broken.value.params["field"] == field
    assert broken.value.params["file"] == answer_name(KEY)
    assert "张" not in f"{broken.value} {broken.value.params}"
    assert len(list(folder.quarantine.iterdir())) == 2
    waiting(core)
    answer(folder)
    assert core.block(CARD, key=KEY).reference == "B-1"


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff\xfe", b" " * 5000])
def test_an_answer_that_is_no_json_goes_aside_too(core: FileCore, folder: CoreFolder, content: bytes) -> None:
    waiting(core)
    folder.answer_file(KEY).write_bytes(content)
    with pytest.raises(CoreFileUnreadable):
        core.block(CARD, key=KEY)
    assert not folder.answer_file(KEY).exists()


def test_a_folder_that_cannot_be_reached_is_silence(tmp_path: Path) -> None:
    (tmp_path / "main").write_text("a file where a folder belongs")
    with pytest.raises(GatewayUnavailable):
        FileCore(tmp_path).block(CARD, key=KEY)


def test_a_core_killed_before_it_removed_the_order_does_it_once(core: FileCore, folder: CoreFolder) -> None:
    other_end = SimulatedCore()
    waiting(core)
    order = folder.order_file(KEY).read_bytes()
    assert answer_orders(other_end, folder.orders.parents[1], tenant="main") == 1
    folder.order_file(KEY).write_bytes(order)
    assert answer_orders(other_end, folder.orders.parents[1], tenant="main") == 1
    assert other_end.orders() == 1
    assert core.block(CARD, key=KEY).reference


# Journal --------------------------------------------------------------------------------------------------------------


def put(folder: CoreFolder, text: str) -> Path:
    path = folder.journal_file(DAY)
    path.write_text(text)
    return path


def test_a_day_without_a_journal_is_waited_for(core: FileCore) -> None:
    with pytest.raises(GatewayUnavailable):
        core.journal(tenant="main", business_date=DAY)


def test_a_broken_journal_goes_to_quarantine_with_line_field_and_rule(core: FileCore, folder: CoreFolder) -> None:
    text = "".join(journal_text(JOURNAL))
    path = put(folder, text.replace("C,149000", "C,1490.00"))
    with pytest.raises(CoreFileUnreadable) as broken:
        core.journal(tenant="main", business_date=DAY)
    wanted = {"file": "journal-2026-11-23.csv", "line": 3, "field": "amount", "rule": "core-form"}
    assert broken.value.params == wanted
    assert str(broken.value) == "core-file-unreadable: journal-2026-11-23.csv, line 3, amount: core-form"
    assert not path.exists()
    told, aside = sorted(folder.quarantine.iterdir(), key=lambda path: path.suffix != ".json")
    assert told.name == f"{aside.name}.error.json"
    assert json.loads(told.read_text()) == wanted
    assert "1490.00" in aside.read_text()
    put(folder, text)  # the core sends it again
    assert core.journal(tenant="main", business_date=DAY) == JOURNAL


def test_each_broken_journal_of_a_day_is_kept(core: FileCore, folder: CoreFolder) -> None:
    for text in ("", "H,other,1,main,2026-11-23,CNY\n"):
        put(folder, text)
        with pytest.raises(CoreFileUnreadable):
            core.journal(tenant="main", business_date=DAY)
    assert len(list(folder.quarantine.glob("*.csv"))) == 2


def test_a_card_that_is_not_in_the_balances_is_refused(core: FileCore, folder: CoreFolder) -> None:
    folder.balances_file(DAY).write_text("H,casework-core-balances,1,main,2026-11-23,CNY\nT,0,0\n")
    with pytest.raises(GatewayRefused) as refused:
        core.balances(CARD, as_of=DAY)
    assert refused.value.params["reason"] == "card-unknown"
