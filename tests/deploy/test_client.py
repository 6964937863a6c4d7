"""Tokens on the client's side: kept privately, renewed once, forgotten when they end. Refusals come in words."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.client import ApiClient, TokenStore
from deploy.exits import CommandFailed, ExitCode

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
URL = "http://127.0.0.1:8700"


class Api:
    """An API that remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[httpx.Request] = []
        self.answers: dict[str, httpx.Response] = {}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        given = self.answers.get(request.url.path)
        if given is not None:
            return given
        if request.url.path.startswith("/v1/sessions"):
            tokens = {"accessToken": f"at-{len(self.asked)}", "refreshToken": f"rt-{len(self.asked)}"}
            return httpx.Response(200, json={**tokens, "expiresIn": 600, "staffId": "stf_1"})
        return httpx.Response(200, json={"ok": True})

    def client(self, folder: Path, now: datetime = NOW, **more: Any) -> ApiClient:
        return ApiClient(URL, tokens=TokenStore(folder), now=now, transport=httpx.MockTransport(self), **more)

    def authorization(self) -> str:
        return self.asked[-1].headers["Authorization"]


def test_tokens_are_kept_privately_and_used(tmp_path: Path) -> None:
    api = Api()
    with api.client(tmp_path / "config") as client:
        client.log_in(tenant="main", login="a", password="p")
    with api.client(tmp_path / "config") as client:
        assert client.call("GET", "/v1/me") == {"ok": True}
    assert api.authorization() == "Bearer at-1"
    assert (tmp_path / "config").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "config" / "sessions.json").stat().st_mode & 0o777 == 0o600
    assert "p" not in json.loads((tmp_path / "config" / "sessions.json").read_text())[URL].values()


def test_a_token_that_is_about_to_end_is_renewed_once(tmp_path: Path) -> None:
    api = Api()
    with api.client(tmp_path) as client:
        client.log_in(tenant="main", login="a", password="p")
    later = NOW + timedelta(minutes=9, seconds=45)
    for _ in range(2):
        with api.client(tmp_path, now=later) as client:
            client.call("GET", "/v1/me")
    refreshes = [request for request in api.asked if request.url.path == "/v1/sessions/refresh"]
    assert [json.loads(request.content) for request in refreshes] == [{"refreshToken": "rt-1"}]
    assert api.authorization() == "Bearer at-2"


def test_a_session_that_has_ended_is_forgotten(tmp_path: Path) -> None:
    api = Api()
    with api.client(tmp_path) as client:
        client.log_in(tenant="main", login="a", password="p")
    api.answers["/v1/sessions/refresh"] = httpx.Response(401, json={"title": "Log in"})
    with api.client(tmp_path, now=NOW + timedelta(hours=2)) as client:
        for words in ("has ended", "not logged in"):
            with pytest.raises(CommandFailed, match=words) as caught:
                client.call("GET", "/v1/me")
            assert caught.value.code is ExitCode.NO_PERMISSION


def test_a_post_carries_an_idempotency_key_of_its_own(tmp_path: Path) -> None:
    api = Api()
    token = tmp_path / "token"
    token.write_text("given\n")
    with api.client(tmp_path, token_file=token) as client:
        client.call("POST", "/v1/staff", body={})
        client.call("POST", "/v1/staff", body={})
    keys = [request.headers["Idempotency-Key"] for request in api.asked]
    assert len(set(keys)) == 2
    assert api.authorization() == "Bearer given"


@pytest.mark.parametrize(("status", "code"), [(401, 77), (403, 77), (409, 1), (422, 1), (500, 69), (503, 69)])
def test_a_refusal_of_the_api_becomes_words_and_a_code(tmp_path: Path, status: int, code: int) -> None:
    api = Api()
    problem = {"title": "Not so", "detail": "because", "errors": [{"pointer": "/login", "detail": "too short"}]}
    api.answers["/v1/staff"] = httpx.Response(status, json=problem)
    token = tmp_path / "token"
    token.write_text("given")
    with api.client(tmp_path, token_file=token) as client, pytest.raises(CommandFailed) as caught:
        client.call("GET", "/v1/staff")
    assert caught.value.code == code
    assert str(caught.value) == "Not so: because\n  /login: too short"


def test_no_answer_is_69(tmp_path: Path) -> None:
    def refuse(_request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no")

    client = ApiClient(URL, tokens=TokenStore(tmp_path), now=NOW, transport=httpx.MockTransport(refuse))
    with client, pytest.raises(CommandFailed) as caught:
        client.log_in(tenant="main", login="a", password="p")
    assert caught.value.code is ExitCode.UNAVAILABLE
