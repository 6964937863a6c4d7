"""How client commands speak to the API: over HTTP, with a token, like anyone. Tokens are kept 0600."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import httpx

from deploy import datadir, supervise
from deploy.exits import CommandFailed, ExitCode
from deploy.values import Settings
from models.domain.tokens import new_token

TIMEOUT_SECONDS: Final = 30.0
_EARLY: Final = timedelta(seconds=30)  # a token that is about to end is renewed before it is used
_PROBLEM: Final = 400
_SERVER: Final = 500
_REFUSED: Final = frozenset({401, 403})


def address_of(settings: Settings, url: str | None) -> str:
    """Where the API is: the option, the setting, the running `casework up` of the data directory, or host and port."""
    if url or settings.url:
        return (url or settings.url or "").rstrip("/")
    facts = supervise.running(settings.data)
    if facts is not None:
        return str(facts["address"])
    return f"http://{settings.api.host}:{settings.api.port}"


class TokenStore:
    """Sessions by address of the API, in one file of the user's."""

    def __init__(self, folder: Path) -> None:
        """Use `folder`; it is made when something is kept."""
        self._path = folder / "sessions.json"

    def get(self, url: str) -> dict[str, Any] | None:
        """The session at an address, or None."""
        known = datadir.read_json(self._path)
        session = known.get(url) if isinstance(known, dict) else None
        return session if isinstance(session, dict) else None

    def put(self, url: str, session: dict[str, Any] | None) -> None:
        """Keep a session, or forget it (None)."""
        self._path.parent.mkdir(mode=datadir.PRIVATE_DIRECTORY, parents=True, exist_ok=True)
        known = datadir.read_json(self._path)
        sessions = known if isinstance(known, dict) else {}
        sessions.pop(url, None)
        if session is not None:
            sessions[url] = session
        datadir.write_private(self._path, sessions)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the file: a refresh token may be used once, so two commands may not renew one session together."""
        self._path.parent.mkdir(mode=datadir.PRIVATE_DIRECTORY, parents=True, exist_ok=True)
        lock = os.open(self._path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, datadir.PRIVATE_FILE)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


class ApiClient:
    """One API, as one caller. Failures of the API end the command with its own words."""

    def __init__(
        self,
        url: str,
        *,
        tokens: TokenStore,
        now: datetime,
        token_file: Path | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Speak to the API at `url`.

        Args:
            url: without a slash at the end.
            tokens: where sessions are kept.
            now: when the command began.
            token_file: holds an access token; instead of a session.
            transport: for tests.
        """
        self.url = url
        self._tokens = tokens
        self._now = now
        self._token_file = token_file
        self._http = httpx.Client(
            base_url=url,
            timeout=TIMEOUT_SECONDS,
            transport=transport,
            headers={"Accept-Language": "en"},
            trust_env=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def log_in(self, *, tenant: str, login: str, password: str) -> dict[str, Any]:
        """Open a session and keep its tokens.

        Raises:
            CommandFailed: 77, refused; 69, no answer.
        """
        answer = self._send("POST", "/v1/sessions", json={"tenant": tenant, "login": login, "password": password})
        self._keep(answer)
        return dict(answer)

    def log_out(self) -> None:
        """End the session at the API, and forget it."""
        try:
            self.call("DELETE", "/v1/sessions/current")
        finally:
            self._tokens.put(self.url, None)

    def call(self, method: str, path: str, *, body: dict[str, Any] | None = None, **headers: str) -> Any:
        """One request as the logged-in caller; a POST carries an idempotency key. Returns the JSON, or None.

        Raises:
            CommandFailed: 77, not logged in or not allowed; 69, no answer; 1, the API's own refusal, in its words.
        """
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        headers["Authorization"] = f"Bearer {self._access_token()}"
        if method == "POST":
            headers.setdefault("Idempotency-Key", new_token("cli"))
        return self._send(method, path, json=body, headers=headers)

    def download(self, path: str, *, accept: str = "*/*", language: str = "en") -> bytes:
        """A file, as the logged-in caller.

        Raises:
            CommandFailed: as `call`.
        """
        headers = {"Authorization": f"Bearer {self._access_token()}", "Accept": accept, "Accept-Language": language}
        return self._answer("GET", path, headers=headers).content

    def upload(self, path: str, file: Path, *, fields: dict[str, str], media_type: str = "text/csv") -> Any:
        """Send a file with its fields as a form, read piece by piece. Returns the JSON.

        Raises:
            CommandFailed: as `call`; 65, the file cannot be read.
        """
        headers = {"Authorization": f"Bearer {self._access_token()}", "Idempotency-Key": new_token("cli")}
        try:
            with file.open("rb") as content:
                sent = {"file": (file.name, content, media_type)}
                return self._answer("POST", path, data=fields, files=sent, headers=headers).json()
        except OSError as error:
            raise CommandFailed(ExitCode.DATA, f"{file} cannot be read: {error.strerror}") from None

    def _access_token(self) -> str:
        if self._token_file is not None:
            return self._token_file.read_text(encoding="ascii").strip()
        with self._tokens.alone():
            session = self._tokens.get(self.url)
            if session is None:
                raise CommandFailed(ExitCode.NO_PERMISSION, f"not logged in at {self.url}: casework login")
            if datetime.fromisoformat(session["expires_at"]) - _EARLY <= self._now:
                try:
                    answer = self._send("POST", "/v1/sessions/refresh", json={"refreshToken": session["refresh_token"]})
                except CommandFailed as failed:
                    if failed.code is not ExitCode.NO_PERMISSION:
                        raise
                    self._tokens.put(self.url, None)
                    raise CommandFailed(ExitCode.NO_PERMISSION, "the session has ended: casework login") from None
                session = self._keep(answer)
        return str(session["access_token"])

    def _keep(self, answer: dict[str, Any]) -> dict[str, Any]:
        session = {
            "access_token": answer["accessToken"],
            "refresh_token": answer["refreshToken"],
            "expires_at": (self._now + timedelta(seconds=int(answer["expiresIn"]))).isoformat(),
            "staff_id": answer["staffId"],
        }
        self._tokens.put(self.url, session)
        return session

    def _send(
        self, method: str, path: str, *, json: dict[str, Any] | None = None, headers: dict[str, str] | None = None
    ) -> Any:
        response = self._answer(method, path, json=json, headers=headers)
        return response.json() if response.content else None

    def _answer(
        self,
        method: str,
        path: str,
        *,
        json: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        **form: Any,
    ) -> httpx.Response:
        try:
            response = self._http.request(method, path, json=json, headers=headers, **form)
        except httpx.TransportError as error:
            raise CommandFailed(
                ExitCode.UNAVAILABLE, f"no answer from {self.url} ({type(error).__name__}); is `casework up` running?"
            ) from None
        if response.status_code >= _PROBLEM:
            raise _failure(response)
        return response


def _failure(response: httpx.Response) -> CommandFailed:
    code = ExitCode.FAILED
    if response.status_code in _REFUSED:
        code = ExitCode.NO_PERMISSION
    elif response.status_code >= _SERVER:
        code = ExitCode.UNAVAILABLE
    try:
        problem = response.json()
    except json.JSONDecodeError:
        problem = {}
    title, detail = problem.get("title", f"HTTP {response.status_code}"), problem.get("detail", "")
    faults = [
        f"  {fault.get('pointer', '')}: {fault.get('detail', fault.get('code', ''))}" for fault in _faults(problem)
    ]
    return CommandFailed(code, "\n".join([f"{title}: {detail}" if detail else title, *faults]))


def _faults(problem: dict[str, Any]) -> list[dict[str, Any]]:
    errors = problem.get("errors")
    return [error for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []
