"""`casework api` and `worker` as production runs them: several of each, on PostgreSQL and an outside Temporal."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from deploy.temporal_server import free_port
from models.database.engine import Database
from tests.support.databases import PostgresDatabases
from tests.support.processes import wait_until
from tests.support.temporal import TemporalServer

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]
REPOSITORY = Path(__file__).parents[2]


def _no_schema(_database: Database) -> None:
    """Nothing."""


class Site:
    """Settings of one installation, and its processes."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("CASEWORK_")},
            "CASEWORK_DATA_DIR": str(folder / "data"),
            **environment,
        }
        self.running: list[subprocess.Popen[bytes]] = []

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "deploy.commands", *arguments],
            cwd=REPOSITORY, env=self.environment, capture_output=True, text=True, timeout=90, check=False,
        )  # fmt: skip

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-m", "deploy.commands", *arguments],
            cwd=REPOSITORY, env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self.running.append(process)
        return process


@pytest.fixture
def site(tmp_path: Path, postgres: PostgresDatabases, temporal_server: TemporalServer) -> Iterator[Site]:
    """An installation on empty PostgreSQL databases, with the local issuer."""
    with postgres.fresh(_no_schema) as data, postgres.fresh(_no_schema) as keys:
        made = Site(
            tmp_path,
            CASEWORK_DATABASE_URL=data.engine.url.render_as_string(hide_password=False),
            CASEWORK_KEYS_DATABASE_URL=keys.engine.url.render_as_string(hide_password=False),
            CASEWORK_TEMPORAL_ADDRESS=temporal_server.address,
            CASEWORK_TEMPORAL_NAMESPACE=temporal_server.namespace,
        )
        yield made
        for process in made.running:
            process.kill()
            process.wait()


def ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", timeout=5, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.long
def test_two_of_each_serve_and_stop_in_order(site: Site) -> None:
    not_yet = site.command("api", "--port", "0")
    assert not_yet.returncode == 78, not_yet.stderr  # no key, no schema: it says so instead of making them
    for arguments in (("keys", "init"), ("migrate",), ("keys", "status")):
        done = site.command(*arguments)
        assert done.returncode == 0, done.stderr
    made = site.command("tenant", "create", "main", "--name", "Bank", "--admin", "one", "--admin", "two", "--json")
    assert made.returncode == 0, made.stderr
    staff = json.loads(made.stdout)["staff"]

    urls = []
    for _ in range(2):
        port = free_port()
        site.start("api", "--port", str(port))
        urls.append(f"http://127.0.0.1:{port}")
    site.start("worker", "--queue", "cases", "--queue", "gateways")
    site.start("worker")
    for url in urls:
        wait_until(lambda url=url: ready(url), seconds=90)  # type: ignore[misc]

    login = {"tenant": "main", "login": "one", "password": staff[0]["password"]}
    answer = httpx.post(f"{urls[0]}/v1/sessions", json=login, trust_env=False)
    assert answer.status_code == 201, answer.text
    assert answer.json()["passwordChangeRequired"] is True
    token = {"Authorization": f"Bearer {answer.json()['accessToken']}"}
    elsewhere = httpx.get(f"{urls[1]}/v1/me", headers=token, trust_env=False)
    assert elsewhere.json()["staffId"] == staff[0]["id"]  # the other process believes the same token

    report = site.command("audit", "verify", "--json")
    assert report.returncode == 0, report.stdout
    for process in site.running:
        process.send_signal(signal.SIGTERM)
    assert [process.wait(30) for process in site.running] == [0, 0, 0, 0]


def test_sqlite_is_refused(tmp_path: Path) -> None:
    site = Site(tmp_path)
    for command in ("api", "worker"):
        ended = site.command(command)
        assert ended.returncode == 78
        assert "CASEWORK_DATABASE_URL" in ended.stderr


def test_an_unknown_queue_is_a_wrong_command_line(tmp_path: Path) -> None:
    assert Site(tmp_path).command("worker", "--queue", "nonsense").returncode == 2
