"""A file of card clients: read whole numbers however they are spelt, select by delay, and say exactly what is wrong."""

from pathlib import Path

import pytest

from deploy.demo.clients import COLUMNS, ClientsInvalid, delayed_clients, read_clients
from tests.support.client_files import client_file


def test_a_line_becomes_a_client_with_the_latest_month_first(tmp_path: Path) -> None:
    path = client_file(tmp_path / "c.csv", [{"SEX": 1, "BILL_AMT1": -300, "PAY_AMT6": 7, "PAY_6": -2, "MARRIAGE": 2}])
    (client,) = read_clients(path)
    assert (client.id, client.is_man, client.is_married, client.age) == (1, True, False, 37)
    assert client.delays == (2, 2, 2, 2, 0, -2)
    assert (client.bills[0], client.bills[5], client.paid[5]) == (-300, 42_000, 7)


def test_order_of_columns_further_columns_and_spelling_do_not_matter(tmp_path: Path) -> None:
    header = ("default.payment.next.month", *reversed(COLUMNS))
    path = client_file(tmp_path / "c.csv", [{"LIMIT_BAL": "2.00E+05", "AGE": " 40 "}, {}], header=header)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"LIMIT_BAL", b"limit_bal") + b"\n")
    assert [(client.limit, client.age) for client in read_clients(path)] == [(200_000, 40), (120_000, 37)]


def test_the_first_delayed_clients_are_taken_in_the_order_of_the_file(tmp_path: Path) -> None:
    delays = (0, 2, 1, 3, -1, 2, 8)
    path = client_file(tmp_path / "c.csv", [{"PAY_0": delay} for delay in delays])
    assert [client.id for client in delayed_clients(path, months=2, size=3)] == [2, 4, 6]
    assert [client.id for client in delayed_clients(path, months=3, size=9)] == [4, 7]


def test_nobody_delayed_is_said(tmp_path: Path) -> None:
    with pytest.raises(ClientsInvalid, match=r"no client has PAY_0 >= 4; choose fewer months"):
        delayed_clients(client_file(tmp_path / "c.csv", [{}]), months=4, size=3)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ({"AGE": "old"}, r"line 3, column AGE: not a whole number; write the age in full years"),
        ({"LIMIT_BAL": "1.5"}, r"line 3, column LIMIT_BAL: not a whole number; write the credit limit"),
        ({"BILL_AMT2": ""}, r"line 3, column BILL_AMT2: not a whole number; write the bill"),
        ({"PAY_AMT1": "Infinity"}, r"line 3, column PAY_AMT1: not a whole number"),
        ({"SEX": 3}, r"line 3, column SEX: not from 1 to 2; write 1 for a man, 2 for a woman"),
        ({"PAY_0": 12}, r"line 3, column PAY_0: not from -2 to 9; write -2 not used"),
        ({"PAY_AMT3": -1}, r"line 3, column PAY_AMT3: not from 0"),
        ({"ID": 1}, r"line 3, column ID: it stands in the file already; number them anew"),
    ],
)
def test_a_wrong_value_is_named_by_line_column_rule_and_remedy(
    tmp_path: Path, line: dict[str, object], said: str
) -> None:
    with pytest.raises(ClientsInvalid, match=said):
        list(read_clients(client_file(tmp_path / "c.csv", [{}, line])))


def test_the_value_itself_is_never_repeated(tmp_path: Path) -> None:
    with pytest.raises(ClientsInvalid) as caught:
        list(read_clients(client_file(tmp_path / "c.csv", [{"AGE": "Zhang San"}])))
    assert "Zhang" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", r"line 1: missing columns: ID, LIMIT_BAL, .*; begin with a line of column names"),
        (",".join(COLUMNS).replace(",AGE,", ",YEARS,").encode(), r"line 1: missing columns: AGE;"),
        (",".join((*COLUMNS, "AGE")).encode(), r"line 1: column AGE stands there twice; keep one of them"),
        (",".join(COLUMNS).encode() + b"\n1,2,3\n", r"line 2: 3 values under 24 column names; mend the line"),
        ("编号,".encode("gb18030"), r"no UTF-8 text; save the file as CSV with UTF-8"),
    ],
)
def test_a_file_of_another_kind_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "c.csv").write_bytes(content)
    with pytest.raises(ClientsInvalid, match=said):
        list(read_clients(tmp_path / "c.csv"))
