"""Tokens of SoftHSM2 (Debian's `softhsm2`), for tests of the PKCS #11 provider."""

import atexit
import functools
import importlib.util
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from compliance.vault.kek_pkcs11 import TokenKey

PIN: Final = "4711-casework"
TOKENS: Final = ("bank", "second", "strict")
_SECURITY_OFFICER: Final = "4711-officer"
_MODULES: Final = (
    Path("/usr/lib/softhsm/libsofthsm2.so"),
    Path("/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so"),
    Path("/usr/lib64/pkcs11/libsofthsm2.so"),
)


def missing() -> str | None:
    """Why there can be no token here, or None."""
    if importlib.util.find_spec("pkcs11") is None:
        return "PKCS #11 WAS NOT TESTED: python-pkcs11 is not installed (the extra `pkcs11`)"
    if _module() is None or shutil.which("softhsm2-util") is None:
        return "PKCS #11 WAS NOT TESTED: SoftHSM2 is not installed (apt-get install softhsm2)"
    return None


@dataclass(frozen=True, slots=True)
class SoftTokens:
    """The tokens of one test process: the library reads their place once, when it is loaded."""

    module: Path

    def key(self, label: str, *, token: str = "bank", pin: str = PIN) -> TokenKey:
        """The place of a key."""
        return TokenKey(module=self.module, token=token, key=label, pin=pin)

    def make(self, label: str, *, token: str = "bank", extractable: bool = False, bits: int = 256) -> TokenKey:
        """A new AES key in a token, as its keeper would make it."""
        import pkcs11

        template: dict[Any, Any] = {
            pkcs11.Attribute.SENSITIVE: not extractable,
            pkcs11.Attribute.EXTRACTABLE: extractable,
        }
        where = pkcs11.lib(str(self.module)).get_token(token_label=token)
        try:
            session = where.open(user_pin=PIN, rw=True)
        except pkcs11.UserAlreadyLoggedIn:  # by a provider in this process
            session = where.open(rw=True)
        session.generate_key(pkcs11.KeyType.AES, bits, label=label, store=True, template=template)
        return self.key(label, token=token)


@functools.cache
def tokens() -> SoftTokens:
    """Make the tokens and name their folder to the library; it goes away with the process."""
    module = _module()
    assert module is not None
    folder = Path(tempfile.mkdtemp(prefix="casework-softhsm-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (folder / "tokens").mkdir()
    configuration = folder / "softhsm2.conf"
    configuration.write_text(f"directories.tokendir = {folder / 'tokens'}\nlog.level = ERROR\n", encoding="utf-8")
    os.environ["SOFTHSM2_CONF"] = str(configuration)
    for label in TOKENS:
        command = ["softhsm2-util", "--init-token", "--free", "--label", label]
        subprocess.run([*command, "--so-pin", _SECURITY_OFFICER, "--pin", PIN], check=True, capture_output=True)
    return SoftTokens(module)


def _module() -> Path | None:
    return next((path for path in _MODULES if path.is_file()), None)
