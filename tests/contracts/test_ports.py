"""A port says what a workflow needs; its adapter must offer exactly that, under the same names."""

import dataclasses
import importlib
import inspect
import pkgutil
import re
import typing
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final
from unittest.mock import MagicMock

import pytest
from temporalio import activity

import activities
import workflows.ports
from deploy.assemble_batches import batch_adapters

NAME: Final = re.compile(r"[a-z]+\.[a-z]+(_[a-z]+)*")  # area.verb_object


def modules_of(package: Any) -> Iterator[Any]:
    """A package's modules, all imported."""
    for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        yield importlib.import_module(info.name)


def ports() -> list[type[Any]]:
    """Every abstract class of `workflows.ports`."""
    return [
        value
        for module in modules_of(workflows.ports)
        for value in vars(module).values()
        if inspect.isclass(value) and issubclass(value, ABC) and value.__module__ == module.__name__
    ]


def adapters_of(port: type[Any]) -> list[type[Any]]:
    """Every concrete class of `activities` that implements a port."""
    return [
        kind
        for kind in _descendants(port)
        if kind.__module__.partition(".")[0] == "activities" and not inspect.isabstract(kind)
    ]


def _descendants(kind: type[Any]) -> Iterator[type[Any]]:
    for child in kind.__subclasses__():
        yield child
        yield from _descendants(child)


def steps_of(kind: type[Any]) -> dict[str, Callable[..., Any]]:
    """Method name -> method, of what is an activity here; a decorator is not inherited."""
    return {
        name: method
        for name, method in inspect.getmembers(kind, inspect.isfunction)
        if hasattr(method, "__temporal_activity_definition")
    }


def activity_name(method: Callable[..., Any]) -> str:
    """The name that stands in histories."""
    definition = activity._Definition.from_callable(method)
    assert definition is not None
    assert definition.name is not None
    return definition.name


def _ends_by_itself(method: Callable[..., Any]) -> bool:
    """The SDK throws no exception into its thread. It could hit between taking the writer's lock and holding it."""
    return activity._Definition.must_from_callable(method).no_thread_cancel_exception


def differences(port: type[Any], adapter: type[Any]) -> list[str]:
    """In what an adapter differs from its port."""
    found = []
    wanted, offered = steps_of(port), steps_of(adapter)
    for name in wanted.keys() | offered.keys():
        if name not in offered or offered[name] is wanted.get(name):
            found.append(f"{name} is not an activity of {adapter.__name__}: the decorator must be repeated")
        elif name not in wanted:
            found.append(f"{name} is not in {port.__name__}")
        elif activity_name(wanted[name]) != activity_name(offered[name]):
            found.append(f"{name} is called {activity_name(offered[name])} instead of {activity_name(wanted[name])}")
        elif _signature(wanted[name]) != _signature(offered[name]):
            found.append(f"{name} takes or gives something else")
        elif not _ends_by_itself(offered[name]):
            found.append(f"{name} may be broken off anywhere: say `no_thread_cancel_exception=True`")
    return found


def _signature(method: Callable[..., Any]) -> dict[str, Any]:
    return typing.get_type_hints(method)


def is_there(adapter: type[Any]) -> bool:
    """Whether every step does something: a skeleton holds the place of its step and refuses."""
    return not any("raise NotImplementedError" in inspect.getsource(step) for step in steps_of(adapter).values())


PORTS: Final = ports()
# Ports whose adapter has a step that does nothing yet. Who writes the last of its steps takes it off this list, and
# adds the adapter's line in `deploy/assemble_batches.py`.
WITHOUT_ADAPTER: Final[set[str]] = set()


@pytest.fixture(scope="module")
def _adapters_known() -> None:
    assert list(modules_of(activities))  # a class is known as a subclass once its module is imported


def test_there_are_ports() -> None:
    assert len(PORTS) >= 3


@pytest.mark.usefixtures("_adapters_known")
@pytest.mark.parametrize("port", PORTS, ids=lambda port: port.__name__)
def test_each_port_has_adapters_that_offer_exactly_its_steps(port: type[Any]) -> None:
    adapters = adapters_of(port)
    assert adapters, f"nothing in activities implements {port.__name__}"
    assert [line for adapter in adapters for line in differences(port, adapter)] == []


@pytest.mark.usefixtures("_adapters_known")
def test_the_ports_without_an_adapter_are_those_on_the_list() -> None:
    missing = {port.__name__ for port in PORTS if not any(map(is_there, adapters_of(port)))}
    assert missing == WITHOUT_ADAPTER


@pytest.mark.usefixtures("_adapters_known")
def test_the_product_registers_the_adapters_of_batches_that_are_there_and_no_others() -> None:
    """A worker that took a step which refuses for ever would try it for ever."""
    of_batches = [port for port in PORTS if port.__module__ == "workflows.ports.batches"]
    there = {adapter for port in of_batches for adapter in adapters_of(port) if is_there(adapter)}
    assert {type(adapter) for adapter in batch_adapters(MagicMock())} == there


def test_activity_names_are_dotted_and_unique() -> None:
    names = [activity_name(method) for port in PORTS for method in steps_of(port).values()]
    assert [name for name in names if not NAME.fullmatch(name)] == []
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("port", PORTS, ids=lambda port: port.__name__)
def test_a_port_is_abstract_and_passes_one_payload_each_way(port: type[Any]) -> None:
    methods = {name for name, _ in inspect.getmembers(port, inspect.isfunction) if not name.startswith("_")}
    assert methods == set(steps_of(port)) == set(port.__abstractmethods__)
    for name, method in steps_of(port).items():
        hints = typing.get_type_hints(method)
        answer = hints.pop("return")
        for kind in (*hints.values(), answer):
            assert dataclasses.is_dataclass(kind), f"{name}: {kind} is no payload"
            assert kind.__module__.startswith("models.contracts."), f"{name}: {kind} is not in models.contracts"
        assert len(hints) == 1, f"{name}: one object in, so that it can grow"


# Teeth ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _In:
    x: int


class _Port(ABC):
    @activity.defn(name="probe.take_step", no_thread_cancel_exception=True)
    @abstractmethod
    def take_step(self, input: _In) -> _In: ...


class _Right(_Port):
    @activity.defn(name="probe.take_step", no_thread_cancel_exception=True)
    def take_step(self, input: _In) -> _In:
        return input


class _Undecorated(_Port):
    def take_step(self, input: _In) -> _In:
        return input


class _Renamed(_Port):
    @activity.defn(name="probe.take_other_step", no_thread_cancel_exception=True)
    def take_step(self, input: _In) -> _In:
        return input


class _Retyped(_Port):
    @activity.defn(name="probe.take_step", no_thread_cancel_exception=True)
    def take_step(self, input: int) -> _In:  # type: ignore[override]
        return _In(input)


class _Talkative(_Right):
    @activity.defn(name="probe.say_more", no_thread_cancel_exception=True)
    def say_more(self, input: _In) -> _In:
        return input


class _Interruptible(_Port):
    @activity.defn(name="probe.take_step")
    def take_step(self, input: _In) -> _In:
        return input


class _Refusing(_Port):
    @activity.defn(name="probe.take_step", no_thread_cancel_exception=True)
    def take_step(self, input: _In) -> _In:
        raise NotImplementedError(input.x)


class _Silent(_Port):
    """Inherits the port's stub, which would answer None for ever."""


def test_the_right_adapter_differs_in_nothing() -> None:
    assert differences(_Port, _Right) == []


def test_a_skeleton_is_seen() -> None:
    assert is_there(_Right)
    assert not is_there(_Refusing)


@pytest.mark.parametrize("adapter", [_Undecorated, _Renamed, _Retyped, _Talkative, _Interruptible, _Silent])
def test_a_wrong_adapter_is_seen(adapter: type[Any]) -> None:
    assert len(differences(_Port, adapter)) == 1
