"""`python -m bench [NAME…]`: measure, and print each figure beside its floor. Exit 1 if one is not reached.

Figures of a smaller `--scale` are for trying out: the targets are about scale 1.
"""

import argparse
import gc
import importlib
import json
import os
import pkgutil
import platform
import sys
from collections.abc import Iterable
from importlib.metadata import version
from typing import Any, Final

from rich.console import Console
from rich.table import Table

import bench
from bench.measuring import tell
from bench.registry import MEASUREMENTS, Figure

WIDTH: Final = 150  # of the table, where the output is no terminal


def main(arguments: list[str] | None = None) -> int:
    """Run what was asked for; everything, if nothing was."""
    for info in pkgutil.iter_modules(bench.__path__, "bench."):
        if info.name != "bench.__main__":
            importlib.import_module(info.name)
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(sorted(MEASUREMENTS))}; none: all")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of a table")
    parser.add_argument("--scale", type=float, default=1.0, help="a part of the full size, e.g. 0.1")
    asked = parser.parse_args(arguments)
    unknown = set(asked.names) - MEASUREMENTS.keys()
    if unknown:
        parser.error(f"nobody measures {', '.join(sorted(unknown))}")
    _collect_as_served()
    figures: dict[str, list[Figure]] = {}
    for name in asked.names or sorted(MEASUREMENTS):
        tell(f"{name}: {_first_line(MEASUREMENTS[name])}")
        figures[name] = []
        for figure in MEASUREMENTS[name](asked.scale):
            figures[name].append(figure)
            tell(f"{name}: {figure.name}: {_number(figure.value)} {figure.unit}")
    if asked.json:
        print(json.dumps(_document(figures, scale=asked.scale), ensure_ascii=False, indent=2))
    else:
        console = Console()
        console.width = max(console.width, WIDTH)
        console.print(_table(figures, scale=asked.scale))
    return 1 if any(figure.reached is False for group in figures.values() for figure in group) else 0


def _collect_as_served() -> None:
    """Garbage is looked for as in a process that serves (`deploy.serve`): what was made at start-up stays."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)


def _table(figures: dict[str, list[Figure]], *, scale: float) -> Table:
    table = Table(title=f"Casework, scale {scale:g}, {_machine()}", title_justify="left")
    for heading in ("what", "measured", "floor, same run", "ratio", "to reach", ""):
        table.add_column(heading, justify="right" if heading in ("measured", "ratio") else "left")
    for group, members in figures.items():
        table.add_section()
        for figure in members:
            floor = "–" if figure.floor is None else f"{_number(figure.floor.value)}  {figure.floor.name}"
            ratio = "–" if figure.ratio is None else f"{figure.ratio:.2f} ×"
            mark = {True: "[green]reached", False: "[red]missed", None: ""}[figure.reached]
            what, value = f"{group}: {figure.name}", f"{_number(figure.value)} {figure.unit}"
            value += f"; {figure.beside}" if figure.beside else ""
            table.add_row(what, value, floor, ratio, figure.wanted or "–", mark)
    return table


def _document(figures: dict[str, list[Figure]], *, scale: float) -> dict[str, Any]:
    return {
        "scale": scale,
        "machine": _machine(),
        "versions": {name: version(name) for name in ("sqlalchemy", "temporalio", "cryptography")},
        "figures": [_one(group, figure) for group, members in figures.items() for figure in members],
    }


def _one(group: str, figure: Figure) -> dict[str, Any]:
    return {
        "group": group,
        "name": figure.name,
        "value": figure.value,
        "unit": figure.unit,
        "beside": figure.beside or None,
        "floor": None if figure.floor is None else {"name": figure.floor.name, "value": figure.floor.value},
        "ratio": figure.ratio,
        "wanted": figure.wanted,
        "reached": figure.reached,
    }


def _machine() -> str:
    load = f"load {os.getloadavg()[0]:.1f}"  # what else was going on: figures of a busy machine say little
    return f"{os.cpu_count()} cores, {load}, Python {platform.python_version()}, {platform.system()}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:,.2f}"


def _first_line(measurement: Any) -> str:
    lines: Iterable[str] = (measurement.__doc__ or "").strip().splitlines()
    return next(iter(lines), "")


if __name__ == "__main__":
    sys.exit(main())
