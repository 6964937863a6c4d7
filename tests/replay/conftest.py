"""The switch that records histories anew."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--record-histories", action="store_true", help="record the golden histories again")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Recording is no test: it is left out unless asked for."""
    if not config.getoption("--record-histories", default=False):
        items[:] = [item for item in items if not item.name.startswith("test_record[")]
