"""S1: no forged token opens anything, none raises anything but the one refusal, and none takes long."""

import ast
import base64
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from jose import jwt

from api.identity.issuer import AUDIENCE, ISSUER
from api.identity.tokens import TokenVerifier, local_keys, sign_token, signing_key, verify_key
from models.errors import NotAuthenticated, UnsafeSetting
from tests.support.api import Office, raw_request
from tests.support.clock import MONDAY_MORNING
from tests.support.forged_tokens import MISSING, Forge, b64, forged

ROOT = Path(__file__).parents[2]
KEY = ec.generate_private_key(ec.SECP256R1())
SUBJECT = "stf_" + "0" * 26
FORGE = Forge(key=KEY, kid="k1", subject=SUBJECT, now=MONDAY_MORNING)
KEYS = local_keys([("k1", KEY)])
VERIFIER = TokenVerifier(keys=lambda: KEYS, issuer=ISSUER, audience=AUDIENCE)
ATTACKS = list(forged(FORGE))


def test_the_corpus_is_as_large_as_it_claims_and_its_good_token_is_good() -> None:
    assert len(ATTACKS) >= 149
    assert len({name for name, _ in ATTACKS}) >= 149
    verified = VERIFIER.verify(FORGE.signed(), now=MONDAY_MORNING)
    assert (verified.subject, verified.auth_time) == (SUBJECT, MONDAY_MORNING)


@pytest.mark.parametrize("token", [token for _, token in ATTACKS], ids=[name for name, _ in ATTACKS])
def test_a_forged_token_is_refused_and_nothing_else_happens(token: object) -> None:
    started = time.perf_counter()
    with pytest.raises(NotAuthenticated) as caught:
        VERIFIER.verify(token, now=MONDAY_MORNING)
    took = time.perf_counter() - started
    assert (caught.value.detail, caught.value.params, caught.value.__cause__) == ("", {}, None)
    assert took < 0.1


def test_the_corpus_has_teeth_against_the_library_alone() -> None:
    """Without the gate some of these are accepted, and some raise what no caller expects."""
    pem = KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    accepted = uncaught = 0
    for _, token in ATTACKS:
        try:
            jwt.decode(
                token, pem.decode(), algorithms=["ES256"], audience=AUDIENCE, issuer=ISSUER, options={"leeway": 10**9}
            )
            accepted += 1
        except jwt.JWTError:
            pass
        except Exception:  # noqa: BLE001 - that it raises anything is what is shown
            uncaught += 1
    assert accepted >= 10
    assert uncaught >= 1


async def test_every_forged_token_gets_one_and_the_same_answer(sqlite_office: Office) -> None:
    forge = Forge(
        key=sqlite_office.issuer.key.private,
        kid=sqlite_office.issuer.key.kid,
        subject=SUBJECT,
        now=sqlite_office.clock(),
    )
    answers = set()
    for _, token in forged(forge):
        if isinstance(token, str):
            headers = [("host", "casework.test"), ("accept-language", "en"), ("authorization", f"Bearer {token}")]
            answer = await raw_request(sqlite_office.app, "GET", "/v1/me", headers=headers)
            body = answer.json() | {"traceId": ""}
            answers.add((answer.status, answer.headers["www-authenticate"], tuple(sorted(body.items()))))
    assert len(answers) == 1
    assert next(iter(answers))[0] == 401


async def test_odd_authorization_headers_are_refused_alike(sqlite_office: Office) -> None:
    officer = sqlite_office.staff("officer")
    good = sqlite_office.token(officer)
    odd = [
        [],
        ["Bearer"],
        ["Bearer "],
        [good],
        [f"Basic {good}"],
        [f"Bearer  {good}"],
        [f"Bearer {good}", f"Bearer {good}"],
        [f"Token {good}"],
    ]
    for values in odd:
        headers = [("host", "casework.test")] + [("authorization", value) for value in values]
        assert (await raw_request(sqlite_office.app, "GET", "/v1/me", headers=headers)).status == 401
    headers = [
        ("host", "casework.test"),
        ("authorization", f"bearer {good}"),
    ]  # the scheme's case does not matter (RFC 9110)
    assert (await raw_request(sqlite_office.app, "GET", "/v1/me", headers=headers)).status == 200


async def test_a_token_in_another_spelling_is_denied_with_the_first(sqlite_office: Office) -> None:
    """ES256 signatures come in pairs (s and n - s): the same token, so a denial goes by its id."""
    officer = sqlite_office.staff("officer")
    token = sqlite_office.token(officer)
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    start, _, signature = token.rpartition(".")
    raw = base64.urlsafe_b64decode(signature + "==")
    r, s = int.from_bytes(raw[:32]), int.from_bytes(raw[32:])
    assert decode_dss_signature(encode_dss_signature(r, s)) == (r, s)
    twin = f"{start}.{b64(r.to_bytes(32) + (order - s).to_bytes(32))}"
    assert twin != token
    async with sqlite_office.client(token=twin) as client:
        assert (await client.get("/v1/me")).status_code == 200
    async with sqlite_office.client(token=token) as client:
        await client.delete("/v1/sessions/current")
    async with sqlite_office.client(token=twin) as client:
        assert (await client.get("/v1/me")).status_code == 401


@pytest.mark.parametrize(
    ("seconds", "good"), [(-6, False), (-5, True), (0, True), (604, True), (605, False), (3600, False)]
)
def test_times_hold_to_the_second_with_five_of_leeway(seconds: int, good: bool) -> None:
    token = FORGE.signed()
    now = MONDAY_MORNING + timedelta(seconds=seconds)
    if good:
        assert VERIFIER.verify(token, now=now).subject == SUBJECT
    else:
        with pytest.raises(NotAuthenticated):
            VERIFIER.verify(token, now=now)


def test_a_token_of_an_issuer_that_says_no_login_time_is_never_fresh() -> None:
    outside = TokenVerifier(keys=lambda: KEYS, issuer=ISSUER, audience=AUDIENCE, from_outside=True)
    token = FORGE.signed(claims=FORGE.claims(sub="zhang.san@bank", auth_time=MISSING))
    verified = outside.verify(token, now=MONDAY_MORNING)
    assert (verified.subject, verified.auth_time, verified.session_id) == ("zhang.san@bank", None, verified.jti)


def test_keys_of_several_algorithms_stay_apart() -> None:
    big = rsa.generate_private_key(public_exponent=65537, key_size=3072)
    keys = {"k1": verify_key(KEY.public_key()), "r1": verify_key(big.public_key(), algorithm="RS256")}
    both = TokenVerifier(keys=lambda: keys, issuer=ISSUER, audience=AUDIENCE)
    rs = jwt.encode(FORGE.claims(), big_pem(big), algorithm="RS256", headers={"typ": "at+jwt", "kid": "r1"})
    assert both.verify(rs, now=MONDAY_MORNING).subject == SUBJECT
    for kid, algorithm in (("k1", "RS256"), ("r1", "ES256")):
        with pytest.raises(NotAuthenticated):
            both.verify(FORGE.signed(FORGE.header(kid=kid, alg=algorithm)), now=MONDAY_MORNING)


def big_pem(key: rsa.RSAPrivateKey) -> str:
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(encoding, form, serialization.NoEncryption()).decode()


def test_the_gate_costs_little_beside_the_signature() -> None:
    """In processor time and against the bare check of a signature, so that a busy machine does not matter."""
    token, signature, public = FORGE.signed(), KEY.sign(b"x", ec.ECDSA(hashes.SHA256())), KEY.public_key()

    def seconds(act: Callable[[], object]) -> float:
        started = time.process_time()
        for _ in range(500):
            act()
        return time.process_time() - started

    bare = min(seconds(lambda: public.verify(signature, b"x", ec.ECDSA(hashes.SHA256()))) for _ in range(3))
    gated = min(seconds(lambda: VERIFIER.verify(token, now=MONDAY_MORNING)) for _ in range(3))
    assert gated < 6 * bare


def test_what_the_issuer_signs_is_what_the_verifier_reads() -> None:
    at = datetime(2026, 11, 23, 2, 0, 0, 900_000, tzinfo=UTC)
    token = sign_token(
        key=signing_key("k1", KEY),
        issuer=ISSUER,
        audience=AUDIENCE,
        subject=SUBJECT,
        jti="ses_x.0123456789abcdef",
        issued_at=at,
        auth_time=at - timedelta(hours=1),
    )
    verified = VERIFIER.verify(token, now=at)
    assert verified.session_id == "ses_x"
    assert verified.expires_at - verified.issued_at == timedelta(minutes=10)
    assert verified.auth_time == at.replace(microsecond=0) - timedelta(hours=1)


# S16: bad keys refuse to start ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "key",
    [
        rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key(),
        ec.generate_private_key(ec.SECP256K1()).public_key(),
        ec.generate_private_key(ec.SECP521R1()).public_key(),
        b"a symmetric secret of more than 32 bytes, which is still refused",
        "-----BEGIN PUBLIC KEY-----",
        None,
        KEY,
    ],
    ids=["rsa-2048", "secp256k1", "p-521", "bytes", "text", "none", "private"],
)
def test_weak_and_symmetric_keys_are_refused(key: Any) -> None:
    with pytest.raises(UnsafeSetting):
        verify_key(key)


def test_an_issuer_signs_with_p256_under_a_plain_name_only() -> None:
    for kid, key in [
        ("k1", ec.generate_private_key(ec.SECP384R1())),
        ("k1", rsa.generate_private_key(public_exponent=65537, key_size=3072)),
        ("k 1", KEY),
        ("", KEY),
        ("k1\n", KEY),
    ]:
        with pytest.raises(UnsafeSetting):
            signing_key(kid, key)
    for pairs in ([], [("k1", KEY), ("k1", KEY)]):
        with pytest.raises(UnsafeSetting):
            local_keys(pairs)


# House rule: one module touches the library, and not in ways that skip a check ---------------------------------------


def _uses_of_jose() -> list[str]:
    found = []
    folders = [folder for folder in ROOT.iterdir() if folder.name != "tests" and not folder.name.startswith(".")]
    for path in (path for folder in folders for path in folder.rglob("*.py")):
        source = path.read_text()
        for node in ast.walk(ast.parse(source)) if "jose" in source else ():
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            module = node.module or "" if isinstance(node, ast.ImportFrom) else ""
            if module.split(".")[0] == "jose" or any(name.split(".")[0] == "jose" for name in names):
                found.append(str(path.relative_to(ROOT)))
    return found


def test_only_the_gate_touches_the_library_and_it_skips_no_check() -> None:
    assert set(_uses_of_jose()) == {"api/identity/tokens.py"}
    source = (ROOT / "api/identity/tokens.py").read_text()
    tree = ast.parse(source)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "jwt.decode"]
    assert len(calls) == 1
    assert {"algorithms", "audience", "issuer", "options"} <= {keyword.arg for keyword in calls[0].keywords}
    code = ast.unparse(tree)
    for word in ("verify_signature", "get_unverified", "jwe", "verify_aud", "verify_exp"):
        assert word not in code.replace("verify_key", "")


def test_the_slow_backend_of_the_library_is_never_loaded() -> None:
    check = "import sys, api.identity.tokens; sys.exit('ecdsa' in sys.modules or 'rsa' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], cwd=ROOT, check=False, timeout=60).returncode == 0
