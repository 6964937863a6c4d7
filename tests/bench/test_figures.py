"""A figure says whether it is reached, against its bounds and against its floor; a missed one fails the run."""

import json
from collections.abc import Iterable

import pytest

from bench import __main__ as command
from bench.registry import MEASUREMENTS, Figure, Floor, measures


def figure(value: float, **bounds: float) -> Figure:
    return Figure(name="n", value=value, unit="ms", floor=Floor(name="f", value=10), **bounds)


@pytest.mark.parametrize(
    ("bounds", "reached"),
    [
        ({"at_most": 20}, True),
        ({"at_most": 19.9}, False),
        ({"at_least": 20}, True),
        ({"at_least": 20.1}, False),
        ({"ratio_at_most": 2}, True),
        ({"ratio_at_most": 1.9}, False),
        ({"ratio_at_least": 2}, True),
        ({"ratio_at_least": 2.1}, False),
        ({"at_most": 30, "ratio_at_most": 1.9}, False),
        ({}, None),
    ],
)
def test_every_bound_counts(bounds: dict[str, float], reached: bool | None) -> None:
    assert figure(20, **bounds).ratio == 2
    assert figure(20, **bounds).reached is reached


def test_a_ratio_without_a_floor_is_not_reached() -> None:
    assert Figure(name="n", value=1, unit="ms", ratio_at_most=2).reached is False


def test_two_measurements_cannot_share_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.registry.MEASUREMENTS", {"taken": None})
    with pytest.raises(ValueError, match="twice"):
        measures("taken")(lambda scale: [])


@pytest.mark.parametrize(("value", "code"), [(20, 0), (21, 1)])
def test_a_missed_figure_fails_the_run(
    value: float, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def probe(scale: float) -> Iterable[Figure]:
        yield figure(value * scale, at_most=10)

    monkeypatch.setitem(MEASUREMENTS, "probe", probe)
    assert command.main(["probe", "--scale", "0.5", "--json"]) == code
    (told,) = json.loads(capsys.readouterr().out)["figures"]
    assert (told["group"], told["value"], told["ratio"], told["reached"]) == ("probe", value / 2, value / 20, code == 0)
    assert command.main(["probe", "--scale", "0.5"]) == code
    assert ("missed" in capsys.readouterr().out) is bool(code)


@pytest.mark.parametrize("name", ["audit", "search"])
def test_a_small_run_measures_every_figure(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    command.main([name, "--scale", "0.002", "--json"])
    figures = json.loads(capsys.readouterr().out)["figures"]
    assert len(figures) >= 4
    assert all(one["value"] > 0 and (one["ratio"] is None or one["ratio"] > 0) for one in figures)
