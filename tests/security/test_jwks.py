"""Keys of an outside issuer: a strict file, and the last good keys when a new one is broken."""

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from structlog.testing import capture_logs

from api.app import create_app
from api.identity.jwks import JwksFile, parse_jwks
from api.identity.tokens import TokenVerifier
from models.errors import UnsafeSetting
from models.tables.staff import Staff
from tests.support.api import SETTINGS, Office
from tests.support.clock import MONDAY_MORNING
from tests.support.forged_tokens import Forge, b64

KEY = ec.generate_private_key(ec.SECP256R1())
RSA = rsa.generate_private_key(public_exponent=65537, key_size=3072).public_key().public_numbers()
WEAK = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key().public_numbers()


def ec_jwk(key: ec.EllipticCurvePrivateKey = KEY, **changes: Any) -> dict[str, Any]:
    numbers = key.public_key().public_numbers()
    size = (key.curve.key_size + 7) // 8
    plain = {
        "kty": "EC",
        "crv": "P-256",
        "x": b64(numbers.x.to_bytes(size)),
        "y": b64(numbers.y.to_bytes(size)),
        "kid": "idp-1",
        "alg": "ES256",
        "use": "sig",
    }
    return {name: value for name, value in (plain | changes).items() if value is not None}


def rsa_jwk(numbers: rsa.RSAPublicNumbers = RSA, **changes: Any) -> dict[str, Any]:
    n = b64(numbers.n.to_bytes((numbers.n.bit_length() + 7) // 8))
    plain = {"kty": "RSA", "n": n, "e": "AQAB", "kid": "idp-2", "alg": "RS256", "use": "sig"}
    return {name: value for name, value in (plain | changes).items() if value is not None}


def jwks(*keys: dict[str, Any]) -> bytes:
    return json.dumps({"keys": list(keys)}).encode()


def test_a_good_set_gives_each_key_its_one_algorithm() -> None:
    p384 = ec_jwk(ec.generate_private_key(ec.SECP384R1()), crv="P-384", alg="ES384", kid="idp-3")
    keys = parse_jwks(jwks(ec_jwk(), rsa_jwk(), p384, rsa_jwk(kid="for-encryption", use="enc", alg="RSA-OAEP-256")))
    assert {kid: key.algorithm for kid, key in keys.items()} == {"idp-1": "ES256", "idp-2": "RS256", "idp-3": "ES384"}


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"{}",
        b'{"keys":{}}',
        b'{"keys":[]}',
        b'{"keys":[1]}',
        b'{"keys":[],"keys":[]}',
        b"\xff",
        b'{"keys":' + b"[" * 100_000,
        b" " * 300_000,
        jwks(ec_jwk(use="enc")),
        jwks(ec_jwk(use="other")),
        jwks(ec_jwk(alg=None)),
        jwks(ec_jwk(alg="none")),
        jwks(ec_jwk(alg="HS256")),
        jwks(ec_jwk(alg="ES384")),
        jwks(ec_jwk(alg="RS256")),
        jwks(ec_jwk(kid=None)),
        jwks(ec_jwk(kid="a b")),
        jwks(ec_jwk(), ec_jwk()),
        jwks(ec_jwk(d="AA")),
        jwks(ec_jwk(crv="P-521")),
        jwks(ec_jwk(crv="secp256k1")),
        jwks(ec_jwk(x=None)),
        jwks(ec_jwk(x="AAAA")),
        jwks(ec_jwk(x="A!A")),
        jwks(ec_jwk(kty="OKP")),
        jwks(ec_jwk(key_ops=["sign"])),
        jwks(ec_jwk(key_ops=["verify", "sign"])),
        jwks({"kty": "oct", "k": "c2VjcmV0", "kid": "s", "alg": "HS256"}),
        jwks({"kty": "oct", "k": "c2VjcmV0", "kid": "s", "alg": "ES256"}),
        jwks(rsa_jwk(WEAK)),
        jwks(rsa_jwk(e="AQ")),
        jwks(rsa_jwk(alg="PS256")),
        jwks(rsa_jwk(d="AA")),
        jwks(rsa_jwk(n=None)),
        jwks(rsa_jwk(n=5)),
    ],
)
def test_a_set_with_anything_doubtful_is_refused_as_a_whole(raw: bytes) -> None:
    with pytest.raises(UnsafeSetting):
        parse_jwks(raw)


def test_a_missing_file_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(UnsafeSetting):
        JwksFile(tmp_path / "none.json")


def test_a_changed_file_is_read_and_a_broken_one_leaves_the_last_good_keys(tmp_path: Path) -> None:
    path = tmp_path / "jwks.json"
    path.write_bytes(jwks(ec_jwk()))
    source = JwksFile(path)
    assert set(source()) == {"idp-1"}
    path.write_bytes(jwks(ec_jwk(), rsa_jwk()))
    assert set(source()) == {"idp-1", "idp-2"}
    with capture_logs() as logs:
        path.write_bytes(b"broken")
        for _ in range(3):
            assert set(source()) == {"idp-1", "idp-2"}
    assert [line["event"] for line in logs] == ["jwks.refused"]
    path.unlink()
    assert set(source()) == {"idp-1", "idp-2"}
    path.write_bytes(jwks(rsa_jwk(kid="idp-9")))
    assert set(source()) == {"idp-9"}


async def test_staff_of_an_outside_issuer_are_known_by_its_name_for_them(sqlite_office: Office, tmp_path: Path) -> None:
    office = sqlite_office
    staff = office.staff("zhang")
    with office.deps.database.write() as session:
        session.get_one(Staff, staff.id).external_subject = "zhang.san@bank.example"
    path = tmp_path / "jwks.json"
    path.write_bytes(jwks(ec_jwk()))
    office.deps.verifier = TokenVerifier(
        keys=JwksFile(path), issuer="https://idp.example", audience="casework", from_outside=True
    )
    office.deps.issuer = None
    app = create_app(office.deps, settings=SETTINGS)
    office.app = app
    forge = Forge(key=KEY, kid="idp-1", subject="zhang.san@bank.example", now=MONDAY_MORNING)

    async def me(**claims: Any) -> int:
        token = forge.signed(claims=forge.claims(**({"iss": "https://idp.example"} | claims)))
        async with office.client(token=token) as client:
            return (await client.get("/v1/me")).status_code

    assert await me() == 200
    assert await me(sub="stranger@bank.example") == 401
    assert await me(sub=staff.id) == 401, "our own id means nothing to an outside issuer"
    assert await me(iss="https://idp.other") == 401
    async with office.client(token=forge.signed(claims=forge.claims(iss="https://idp.example"))) as client:
        assert (await client.delete("/v1/sessions/current")).status_code == 204
    assert await me() == 401, "the token was logged out"
