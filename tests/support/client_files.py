"""Files of card clients for tests: lines with the columns that the reader knows, nobody ever counted."""

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path

from deploy.demo.clients import COLUMNS

_USUAL: dict[str, object] = {
    "LIMIT_BAL": 120_000,
    "SEX": 2,
    "EDUCATION": 2,
    "MARRIAGE": 1,
    "AGE": 37,
    "PAY_0": 2,
    "PAY_2": 2,
    "PAY_3": 2,
    "PAY_4": 2,
    "PAY_5": 0,
    "PAY_6": 0,
    **{f"BILL_AMT{month}": 48_000 - 1_000 * month for month in range(1, 7)},
    **{f"PAY_AMT{month}": 900 for month in range(1, 7)},
}


def client_file(path: Path, lines: Iterable[Mapping[str, object]], *, header: tuple[str, ...] = COLUMNS) -> Path:
    """Write a file; each line is the usual client, numbered, with what is given in its place."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        for number, line in enumerate(lines, start=1):
            whole = {"ID": number} | _USUAL | line
            writer.writerow([whole.get(name, "") for name in header])
    return path
