"""Every payload type of the product comes back as it was sent, through the whole converter."""

import dataclasses
import importlib
import inspect
import pkgutil
import types
import typing
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from temporalio.converter import DataConverter, WorkflowSerializationContext

import models.contracts
from compliance.payloads.converter import SharedPydanticConverter, data_converter
from compliance.vault.keyring import Vault

CONTEXT = WorkflowSerializationContext(namespace="test-namespace", workflow_id="installments/acme.1")


def _contracts() -> list[type]:
    found = []
    for module in pkgutil.iter_modules(models.contracts.__path__, "models.contracts."):
        for _, member in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if dataclasses.is_dataclass(member) and member.__module__ == module.name:
                found.append(member)
    return found


def _values(hint: Any) -> st.SearchStrategy[Any]:
    """Values of a type that a contract may use; an unknown one is an error, so that it is thought about here."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return st.one_of(*(_values(argument) for argument in arguments))
    if origin is tuple and arguments[1:] == (...,):
        return st.lists(_values(arguments[0]), max_size=2).map(tuple)
    if origin is dict:
        return st.dictionaries(_values(arguments[0]), _values(arguments[1]), max_size=2)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        hints = typing.get_type_hints(hint)
        return st.builds(hint, **{field.name: _values(hints[field.name]) for field in dataclasses.fields(hint)})
    if inspect.isclass(hint) and issubclass(hint, StrEnum):
        return st.sampled_from(list(hint))
    simple: dict[Any, st.SearchStrategy[Any]] = {
        str: st.text(st.characters(codec="utf-8"), max_size=8),
        int: st.integers(-(2**63), 2**63),
        bool: st.booleans(),
        date: st.dates(),
        datetime: st.datetimes(timezones=st.just(UTC)),
        type(None): st.none(),
    }
    return simple[hint]


async def _through(converter: DataConverter, value: Any, hint: type) -> Any:
    bound = converter.with_context(CONTEXT)
    [back] = await bound.decode(await bound.encode([value]), [hint])
    return back


def test_there_are_contracts_to_try() -> None:
    assert len(_contracts()) > 20


@pytest.mark.parametrize("contract", _contracts(), ids=lambda contract: contract.__name__)
async def test_every_contract_comes_back_as_it_was_sent(contract: type, bank: Vault) -> None:
    converter = data_converter(bank)

    examples: list[Any] = []

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(_values(contract))
    def collect(value: Any) -> None:
        examples.append(value)

    collect()
    assert len(examples) >= 1
    for value in examples:
        back = await _through(converter, value, contract)
        assert back == value
        assert type(back) is contract


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Inner:
    rate: Decimal
    due: date


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Outer:
    """What contracts of later workflows will hold."""

    rows: tuple[Inner, ...]
    by_name: dict[str, Inner]
    at: datetime
    patience: timedelta
    missing: Inner | None = None
    later: int = 7


async def test_decimals_dates_tuples_and_none_keep_their_type_and_value(converter: DataConverter) -> None:
    inner = Inner(rate=Decimal("0.1800"), due=date(2028, 2, 29))
    value = Outer(
        rows=(inner, inner),
        by_name={"一": inner},
        at=datetime(2026, 11, 23, 2, 0, 0, 123456, tzinfo=UTC),
        patience=timedelta(days=3, seconds=1),
    )
    back = await _through(converter, value, Outer)
    assert back == value
    assert str(back.rows[0].rate) == "0.1800"
    assert isinstance(back.rows, tuple)
    assert back.missing is None


async def test_a_payload_without_a_newer_field_is_read_with_its_default(converter: DataConverter) -> None:
    older = {"rows": [], "by_name": {}, "at": "2026-11-23T02:00:00Z", "patience": "P3D"}
    assert (await _through(converter, older, Outer)).later == 7


@pytest.mark.parametrize("value", [None, b"\x00\xff", "文本", 7, ["a", None], {"a": 1}])
async def test_plain_values_come_back(converter: DataConverter, value: Any) -> None:
    assert await _through(converter, value, type(value)) == value


def test_one_payload_converter_serves_all(bank: Vault) -> None:
    assert SharedPydanticConverter() is SharedPydanticConverter()
    one, other = data_converter(bank), data_converter(bank).with_context(CONTEXT)
    inner = [converter.payload_converter._inner_payload_converter for converter in (one, other)]  # type: ignore[attr-defined]
    assert inner[0] is inner[1] is SharedPydanticConverter()
