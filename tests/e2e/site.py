"""A production installation on this machine: the bank's own issuer, a certificate, and processes as operators run."""

import asyncio
import itertools
import json
import os
import signal
import ssl
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from api.identity.tokens import SigningKey, sign_token
from deploy.demo.office import Actor, Line, Office
from deploy.temporal_server import free_port
from models.domain.roles import Role
from models.domain.tokens import new_token
from tests.support.forged_tokens import b64

REPOSITORY = Path(__file__).parents[2]
TENANT = "main"
STOP_SECONDS = 30
_ISSUER, _AUDIENCE = "https://login.bank.example", "casework"
_AMOUNT_MINOR, _CONCESSION_BPS = 100_000_000, 5_000
STAFF = {
    "officer": (Role.CASE_OFFICER,),
    "approver": (Role.APPROVER,),
    "operator": (Role.OPERATOR,),
    "operator2": (Role.OPERATOR,),
    "auditor": (Role.AUDITOR,),
    "senior": (Role.CASE_OFFICER, Role.APPROVER),
}
ADMINS = ("admin", "admin2")


class Issuer:
    """The bank's own issuer: an ES256 key, its JWKS file, and tokens for whoever asks."""

    def __init__(self, folder: Path) -> None:
        """Make the key; the file holds its public half."""
        self._key = SigningKey(kid="bank-1", private=ec.generate_private_key(ec.SECP256R1()))
        numbers = self._key.private.public_key().public_numbers()
        entry = {"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": self._key.kid}
        point = {"x": b64(numbers.x.to_bytes(32)), "y": b64(numbers.y.to_bytes(32))}
        self.jwks = folder / "jwks.json"
        self.jwks.write_text(json.dumps({"keys": [entry | point]}))

    def token(self, subject: str) -> str:
        """An access token of somebody who has just logged in."""
        now = datetime.now(UTC)
        return sign_token(
            key=self._key,
            issuer=_ISSUER,
            audience=_AUDIENCE,
            subject=subject,
            jti=new_token("jti"),
            issued_at=now,
            auth_time=now,
        )

    def settings(self) -> dict[str, str]:
        """What the installation must know of it."""
        return {
            "CASEWORK_ISSUER": "oidc",
            "CASEWORK_OIDC_JWKS_FILE": str(self.jwks),
            "CASEWORK_OIDC_ISSUER": _ISSUER,
            "CASEWORK_OIDC_AUDIENCE": _AUDIENCE,
        }


@dataclass(slots=True)
class OutsideActor(Actor):
    """An account whose owner logs in at the bank's issuer."""

    issuer: Issuer | None = None

    async def log_in(self) -> None:
        """Fetch a token."""
        assert self.issuer is not None
        self.token = self.issuer.token(subject_of(self.login))


def subject_of(login: str) -> str:
    """What the issuer calls somebody."""
    return f"bank|{login}"


@dataclass(slots=True)
class Alternating:
    """Several processes of one API: each request goes to the next of them."""

    clients: list[httpx.AsyncClient]
    turns: "itertools.count[int]" = field(default_factory=itertools.count)

    async def request(self, method: str, path: str, **request: Any) -> httpx.Response:
        """As `httpx.AsyncClient.request`."""
        return await self.clients[next(self.turns) % len(self.clients)].request(method, path, **request)


class Site:
    """Settings of one installation, and its processes."""

    def __init__(self, folder: Path, issuer: Issuer, **environment: str) -> None:
        """Nothing is started yet."""
        self._folder = folder
        self.issuer = issuer
        certificate, key = self_signed(folder)
        self.trust = ssl.create_default_context(cafile=str(certificate))
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("CASEWORK_")},
            "CASEWORK_MODE": "production",
            "CASEWORK_DATA_DIR": str(folder / "data"),
            "CASEWORK_TLS_CERT_FILE": str(certificate),
            "CASEWORK_TLS_KEY_FILE": str(key),
            "CASEWORK_LINKS_URL": "https://casework.bank.example",
            **issuer.settings(),
            **environment,
        }
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A `casework` command that must work."""
        done = subprocess.run(
            [sys.executable, "-m", "deploy.commands", *arguments],
            cwd=REPOSITORY, env=self.environment, capture_output=True, text=True, timeout=90, check=False,
        )  # fmt: skip
        assert done.returncode == 0, (arguments, done.stdout, done.stderr)
        return done

    def start(self, name: str, *arguments: str, **environment: str) -> None:
        """A process that goes on, under a name; its log is `<name>.log`."""
        with (self._folder / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                [sys.executable, "-m", "deploy.commands", *arguments],
                cwd=REPOSITORY, env=self.environment | environment, stdout=log, stderr=log,
            )  # fmt: skip

    def log(self, name: str) -> str:
        """What a process has said so far."""
        return (self._folder / f"{name}.log").read_text()

    def start_api(self, name: str) -> str:
        """One more API; returns its address."""
        port = free_port()
        self.start(name, "api", "--port", str(port))
        return f"https://127.0.0.1:{port}"

    def stop(self, *names: str) -> list[int]:
        """SIGTERM to all of these at once; returns their exit codes."""
        stopping = [self.running.pop(name) for name in names]
        for process in stopping:
            process.send_signal(signal.SIGTERM)
        return [process.wait(STOP_SECONDS) for process in stopping]

    def kill(self) -> None:
        """Whatever still runs."""
        for process in self.running.values():
            process.kill()
            process.wait()


async def ready(site: Site, name: str, client: httpx.AsyncClient, *, seconds: float = 90) -> None:
    """Wait until the API of this name says that it can do its work."""
    async with asyncio.timeout(seconds):
        while True:
            assert site.running[name].poll() is None, site.log(name)
            try:
                if (await client.get("/readyz")).status_code == httpx.codes.OK:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.1)


async def hired(site: Site, line: Line) -> Office:
    """Everybody, each created by one administrator and given a role by two."""

    def actor(login: str) -> OutsideActor:
        return OutsideActor(line, TENANT, login, "", issuer=site.issuer)

    admin, second = (actor(login) for login in ADMINS)
    await admin.log_in()
    await second.log_in()
    for login, roles in STAFF.items():
        body = {"login": login, "name": f"Person {login}", "branch": "*", "externalSubject": subject_of(login)}
        made = (await admin.call("POST", "/v1/staff", json=body, headers=_key())).json()
        proposal = {
            "roles": list(roles),
            "authorityAmountMinor": _AMOUNT_MINOR if Role.APPROVER in roles else 0,
            "authorityConcessionBps": _CONCESSION_BPS if Role.APPROVER in roles else 0,
            "staffVersion": made["version"],
        }
        path = f"/v1/staff/{made['id']}/role-changes"
        change = (await admin.call("POST", path, json=proposal, headers=_key())).json()
        shown = {"shownHash": change["shownHash"]}
        confirmation = f"/v1/role-changes/{change['id']}/confirmation"
        await admin.call("POST", confirmation, json=shown, expect=(403,))  # who proposed cannot confirm
        await second.call("POST", confirmation, json=shown)
    office = Office(
        officer=actor("officer"),
        approver=actor("approver"),
        operator=actor("operator"),
        second_operator=actor("operator2"),
        auditor=actor("auditor"),
        admin=admin,
        second_admin=second,
        senior=actor("senior"),
        line=line,
    )
    await office.log_in()
    await office.senior.log_in()
    return office


def self_signed(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 and its key."""
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "casework test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(private, hashes.SHA256())
    )
    paths = folder / "tls.crt", folder / "tls.key"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].touch(mode=0o600)
    paths[1].write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return paths


def _key() -> dict[str, str]:
    return {"Idempotency-Key": new_token("demo")}
