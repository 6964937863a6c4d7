"""`casework up` as an operator meets it: private, on loopback only, alone, and unharmed by `kill -9`."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from http.client import HTTPConnection
from pathlib import Path

import httpx
import pytest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client

from deploy.values import DataDir
from tests.support.processes import alive_with, listeners_of, wait_until
from tests.support.stack import Stack

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

_CLIENTS_KEEP_SECONDS = 5  # as httpx and many others do


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One running stack for the tests that only look."""
    with Stack(tmp_path_factory.mktemp("stack")) as running:
        yield running


def healthy(stack: Stack) -> bool:
    with stack.http() as client:
        try:
            return client.get("/readyz").status_code == 200
        except httpx.TransportError:
            return False


def test_it_is_ready_when_it_says_so(stack: Stack) -> None:
    with stack.http() as client:
        assert client.get("/healthz").status_code == 200
        assert client.get("/readyz").json()["status"] == "ok"
        assert client.get("/v1/me").status_code == 401
        me = client.get("/v1/me", headers={"Authorization": f"Bearer {stack.log_in()}"})
        assert me.json()["roles"] == ["case-officer"]
    ports = json.loads((stack.data / "run" / "ports.json").read_text())
    assert ports["address"] == stack.facts["address"]


@pytest.mark.long
def test_a_connection_outlives_what_clients_keep_it_for(stack: Stack) -> None:
    """Otherwise a request can meet the server closing, and is lost without an answer."""
    url = httpx.URL(stack.facts["address"])
    with closing(HTTPConnection(url.host, url.port, timeout=30)) as connection:
        connection.request("GET", "/healthz")
        connection.getresponse().read()
        kept = connection.sock
        time.sleep(_CLIENTS_KEEP_SECONDS + 2)
        connection.request("GET", "/healthz")
        assert connection.getresponse().status == 200
        assert kept is not None
        assert connection.sock is kept  # teeth: it has not been opened anew


def test_every_listener_is_on_loopback(stack: Stack) -> None:
    found = listeners_of(stack.pids())
    assert len(found) > 4  # teeth: API, and several of Temporal's
    assert {address for address, _ in found} <= {"127.0.0.1", "::1"}
    assert int(httpx.URL(stack.facts["address"]).port or 0) in {port for _, port in found}


def test_temporals_http_api_is_shut(stack: Stack) -> None:
    ports = json.loads((stack.data / "run" / "ports.json").read_text())["ports"]
    url = f"http://127.0.0.1:{ports['temporal_http']}/api/v1/namespaces/casework/workflows"
    with httpx.Client(trust_env=False) as client:
        for headers in (
            {},
            {"Host": "localhost"},
            {"Host": "bank.example"},
            {"Origin": "https://elsewhere.example", "Content-Type": "text/plain"},
        ):
            assert client.get(url, headers=headers).status_code == 403
            assert client.post(f"{url}/x", headers=headers, content="{}").status_code == 403


async def test_histories_are_kept_for_thirty_days(stack: Stack) -> None:
    client = await Client.connect(stack.facts["temporal"], namespace="casework")
    answer = await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace="casework"))
    assert answer.config.workflow_execution_retention_ttl.ToTimedelta().days == 30


def test_everything_on_disk_is_the_owners_alone(stack: Stack) -> None:
    paths = [stack.data, *stack.data.rglob("*"), stack.data.with_name("data.kek")]
    paths.append(stack.data.with_name("data.dev-login.json"))
    assert {path.name for path in paths} >= {"casework.db", "keys.db", "temporal.db", "app.log", "lock", "data.kek"}
    assert {path: oct(path.stat().st_mode) for path in paths if path.stat().st_mode & 0o077} == {}


def test_a_second_up_waits_then_exits_75_and_names_the_holder(stack: Stack) -> None:
    begun = time.monotonic()
    ended = stack.command("up", "--port", "0")
    assert ended.returncode == 75
    assert f"process {stack.facts['pid']} (`casework up`)" in ended.stderr
    assert time.monotonic() - begun >= 3
    assert healthy(stack)


def test_operators_commands_beside_it(stack: Stack, tmp_path: Path) -> None:
    for command in (("backup", "--to", str(tmp_path)), ("audit", "verify")):
        ended = stack.command(*command)
        assert ended.returncode == 0, ended.stderr
    status = json.loads(stack.command("keys", "status", "--json").stdout)
    assert [process["component"] for process in status["processes"]] == ["app"]
    assert stack.command("migrate").returncode == 75
    assert stack.command("keys", "init").returncode == 75


def test_client_commands_work_over_http(stack: Stack) -> None:
    assert stack.command("staff", "list").returncode == 77
    for login in ("dev.admin", "dev.admin2"):
        assert stack.command("login", login, "--dev").returncode == 0
    listed = stack.command("staff", "list", "--json")
    accounts = {account["login"]: account for account in json.loads(listed.stdout)}
    assert accounts["dev.officer"]["roles"] == ["case-officer"]
    officer = accounts["dev.officer"]["id"]
    proposed = stack.command("staff", "propose-roles", officer, "--role", "case-officer", "--role", "auditor", "--json")
    assert proposed.returncode == 0, proposed.stderr
    change = json.loads(proposed.stdout)["id"]
    own = stack.command("staff", "confirm-roles", change, "--yes")
    assert own.returncode == 77, own.stderr  # four-eyes
    assert stack.command("login", "dev.admin", "--dev").returncode == 0
    confirmed = stack.command("staff", "confirm-roles", change, "--yes", "--json")
    assert confirmed.returncode == 0, confirmed.stderr
    assert json.loads(confirmed.stdout)["state"] == "CONFIRMED"
    sessions = stack.data.with_name("config") / "casework" / "sessions.json"
    assert sessions.stat().st_mode & 0o777 == 0o600
    assert stack.command("logout").returncode == 0
    assert stack.command("staff", "list").returncode == 77


def gone(stack: Stack, pid: int) -> bool:
    return pid not in alive_with(str(stack.data))


def test_a_killed_child_comes_back_at_the_same_address(stack: Stack) -> None:
    for mark in ("app", "start-dev"):
        old = stack.child(mark)
        os.kill(old, signal.SIGKILL)
        wait_until(partial(gone, stack, old), seconds=5)
        wait_until(lambda: healthy(stack), seconds=60)
        assert stack.child(mark) != old


def test_kill_9_leaves_nothing_and_the_next_up_loses_nothing(tmp_path: Path) -> None:
    stack = Stack(tmp_path)
    try:
        stack.start()
        token = stack.log_in("dev.officer")
        events = count_events(stack.data)
        assert len(stack.pids()) == 3  # teeth: the search sees supervisor, Temporal and app
        assert stack.process is not None
        stack.process.kill()
        stack.process.communicate()
        wait_until(lambda: not stack.pids(), seconds=2)
        begun = time.monotonic()
        stack.start()
        print(f"ready {time.monotonic() - begun:.1f} s after kill -9")
        assert count_events(stack.data) >= events
        with stack.http() as client:
            assert client.get("/v1/me", headers={"Authorization": f"Bearer {token}"}).status_code == 200
        assert stack.stop() == 0
        assert stack.pids() == []
        report = stack.command("audit", "verify", "--json")
        assert report.returncode == 0, report.stdout
        assert json.loads(report.stdout)["ok"] is True
    finally:
        stack.kill()


def count_events(data: Path) -> int:
    with closing(sqlite3.connect(DataDir(data).database)) as database:
        return int(database.execute("SELECT count(*) FROM audit_events").fetchone()[0])


@pytest.mark.long
def test_a_backup_of_a_running_stack_comes_up_elsewhere(tmp_path: Path) -> None:
    with Stack(tmp_path / "old") as old:
        password = json.loads(old.data.with_name("data.dev-login.json").read_text())["password"]
        archives = json.loads(old.command("backup", "--to", str(tmp_path), "--json").stdout)
        key = old.data.with_name("data.kek").read_bytes()
        epochs = old.data.with_name("data.epochs")
    new = Stack(tmp_path / "new")
    (tmp_path / "new").mkdir()
    dark = new.command("restore", archives["data"], archives["keys"])
    assert dark.returncode == 65  # the key of the archive's day is in no archive
    shutil.copytree(epochs, new.data.with_name("data.epochs"))
    restored = new.command("restore", archives["data"], archives["keys"])
    assert restored.returncode == 0, restored.stderr
    missing = subprocess.run(new_up(new), capture_output=True, text=True, env=new.environment, timeout=90, check=False)
    assert missing.returncode == 78  # without its key it does not start, and makes no other
    assert "data.kek is missing" in missing.stderr
    kek = new.data.with_name("data.kek")
    kek.write_bytes(key)
    kek.chmod(0o600)
    with new, new.http() as client:
        body = {"tenant": "main", "login": "dev.officer", "password": password}
        assert client.post("/v1/sessions", json=body).status_code == 201
        assert not new.data.with_name("data.dev-login.json").exists()  # there is staff: nobody is invented


def new_up(stack: Stack) -> list[str]:
    return [sys.executable, "-m", "deploy.commands", "up", "--port", "0", "--data", str(stack.data)]
