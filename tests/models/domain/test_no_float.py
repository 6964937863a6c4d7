"""Money is never a binary fraction: no float literal, `float` or function of `math` in the money packages."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

_DOMAIN: Final = Path(__file__).parents[3] / "models" / "domain"
_PACKAGES: Final = ("batches", "schedules", "rates", "plans", "servicing")
_WHOLE_NUMBER_FUNCTIONS: Final = {"gcd", "lcm", "isqrt", "comb", "perm", "prod"}  # of math: integers in, integers out


def floats_in(source: str) -> Iterator[str]:
    """What of this source could make a float, each with its line."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Constant(value=float() | complex()):
                yield f"{node.lineno}: a float literal"
            case ast.Name(id="float" | "complex"):
                yield f"{node.lineno}: {node.id}"
            case ast.Attribute(value=ast.Name(id="math"), attr=name) if name not in _WHOLE_NUMBER_FUNCTIONS:
                yield f"{node.lineno}: math.{name}"
            case ast.ImportFrom(module="math", names=names):
                yield from (
                    f"{node.lineno}: math.{name.name}" for name in names if name.name not in _WHOLE_NUMBER_FUNCTIONS
                )
            case ast.Import(names=names):
                yield from (
                    f"{node.lineno}: {one.name}" for one in names if one.name in {"cmath", "numpy", "statistics"}
                )


@pytest.mark.parametrize("package", _PACKAGES)
def test_a_money_package_knows_no_float(package: str) -> None:
    found = [
        f"{path.name}:{what}"
        for path in sorted((_DOMAIN / package).rglob("*.py"))
        for what in floats_in(path.read_text(encoding="utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize(
    "source",
    [
        "x = 0.1",
        "x = float(3)",
        "import math\nx = math.log(2)",
        "from math import exp",
        "def f(x: float): ...",
        "y = 1e3",
    ],
)
def test_the_rule_sees_floats(source: str) -> None:
    assert list(floats_in(source))


def test_the_rule_lets_decimals_and_integers_through() -> None:
    assert not list(floats_in("from decimal import Decimal\nimport math\nx = Decimal('0.1') * 3 + math.isqrt(9) // 2"))
