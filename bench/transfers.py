"""A transfer from the first byte of its file to the last notice, stage by stage, beside its floor."""

import resource
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Final

from activities.support.tabular.csv_files import CsvSource
from bench.measuring import NOW, Spent, Stores, empty_stores, seconds, spent
from bench.registry import Figure, Floor, measures
from bench.transfer_floor import TransferFloor, transfer_floor
from bench.transfer_stages import MAPPING, TENANT, Ports, back_up, open_job, open_tenant, stages
from deploy.customers import load_customers
from deploy.demo.transfer_book import SOURCE, TARGET, TransferBook, write_transfer_book
from deploy.demo.transfers.recipe import RECIPES
from models.domain.transfers.row_mapper import compile_mapping

SIZES: Final = (100_000, 1_000_000)
# What must stay within twice the floor. Finding duplicates has a figure of its own, so have backups and notices.
COUNTED: Final = frozenset({"collect", "verify", "move in waves", "reconcile"})
_OVERLAP: Final = 200  # per mille
_SEED: Final = 20_261_122
_LEAST: Final = 500
_TIMES: Final = 2  # the floor
_LINEAR: Final = 1.25  # a record of the larger book, beside one of the smaller
_FLAT: Final = 1.25  # peak memory, likewise
_MEGABYTE: Final = 1024  # in the units of `ru_maxrss`
_MATCHED: Final = 50_000
_MATCHED_WITHIN_S: Final = 10


@measures("transfers")
def transfers(scale: float) -> Iterable[Figure]:
    """Move generated customers into a book of half their number: each stage, the whole beside its floor, the memory.

    Figures are processor time; what stands beside them is time on the clock, which others on the machine lengthen.
    """
    costs: list[float] = []
    peaks: list[float] = []
    for size in SIZES:
        customers = max(_LEAST, int(size * scale))
        with empty_stores() as stores:
            took = _books(stores, customers, max(_LEAST // 2, customers // 2))
            yield Figure(name=f"{customers:,}: load the acquirer's book", value=took, unit="s")
            floor = transfer_floor(stores.folder / SOURCE)
            yield _parsing(stores.folder / SOURCE, floor, customers)
            counted = Spent()
            for name, cost in _run(open_job(stores, stores.folder / SOURCE)):
                counted += cost if name in COUNTED else Spent()
                yield _stage(name, customers, cost, _floor_of(name, floor))
        yield _stage("from parse to reconcile", customers, counted, floor.whole, times=_TIMES)
        yield _stage("the same, beside the vault's own sealing", customers, counted, floor.through_the_vault)
        costs.append(counted.processor / customers)
        peaks.append(_peak_megabytes())
    yield _beside("a record of the larger book", "µs", costs[1] * 1e6, costs[0] * 1e6, at_most=_LINEAR)
    yield _beside("peak memory with the larger book", "MB", peaks[1], peaks[0], at_most=_FLAT)


@measures("transfer-matching")
def transfer_matching(scale: float) -> Iterable[Figure]:
    """Find 50,000 customers in a book of 50,000: tokens of both sides, candidates, score and policy."""
    customers = max(_LEAST, int(_MATCHED * scale))
    with empty_stores() as stores:
        _books(stores, customers, customers)
        ports = open_job(stores, stores.folder / SOURCE)
        took = 0.0
        for name, work in stages(ports):
            if name in {"move in waves", "reconcile"}:
                break
            one = seconds(work)
            took += one if name not in {"collect", "verify"} else 0.0
    yield Figure(name=f"{customers:,} × {customers:,}", value=took, unit="s", at_most=_MATCHED_WITHIN_S)


def _run(ports: Ports) -> Iterator[tuple[str, Spent]]:
    for name, work in (*back_up(ports), *stages(ports)):
        yield name, spent(work)


def _parsing(file: Path, floor: TransferFloor, customers: int) -> Figure:
    """Reading and mapping alone; collecting does it once more."""

    def read() -> None:
        with CsvSource(file, MAPPING.file, is_utf8=True) as source:
            mapper = compile_mapping(MAPPING, source.header)
            rows = source.rows()
            while chunk := list(islice(rows, 500)):
                for row in chunk:
                    mapper(row)

    return _stage("parse and map", customers, spent(read), floor.parse)


def _floor_of(name: str, floor: TransferFloor) -> Spent | None:
    """The part of the floor that a stage answers to; some have none."""
    return {"collect": floor.parse + floor.rows, "move in waves": floor.book}.get(name)


def _stage(name: str, customers: int, cost: Spent, floor: Spent | None, *, times: float | None = None) -> Figure:
    beside = f"{customers / cost.clock:,.0f}/s on the clock" if cost.clock else ""
    if floor is not None and floor.clock:
        beside += f", {cost.clock / floor.clock:.1f} ×"
    return Figure(
        name=f"{customers:,}: {name}",
        value=cost.processor / customers * 1e6,
        unit="µs a record",
        beside=beside,
        floor=None if floor is None else Floor(name="µs, same rows", value=floor.processor / customers * 1e6),
        ratio_at_most=times,
    )


def _beside(name: str, unit: str, larger: float, smaller: float, *, at_most: float) -> Figure:
    floor = Floor(name=f"{unit}, of the smaller one", value=smaller)
    return Figure(name=name, value=larger, unit=unit, floor=floor, ratio_at_most=at_most)


def _books(stores: Stores, source: int, target: int) -> float:
    """Write both books and load the acquirer's; seconds that the load took."""
    recipe = RECIPES["gentle"]
    write_transfer_book(
        stores.folder, TransferBook(source=source, target=target, overlap=_OVERLAP, seed=_SEED, recipe=recipe)
    )
    open_tenant(stores)
    load = partial(load_customers, stores.data, stores.vault, stores.folder / TARGET, tenant=TENANT, clock=lambda: NOW)
    return seconds(load)


def _peak_megabytes() -> float:
    """Of this process so far: sizes grow, so it is the last one's."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _MEGABYTE
