"""No client that leaves this machine in clear; every client seals."""

import pytest
from temporalio.client import Client
from temporalio.service import TLSConfig

from compliance.payloads.codec import SealingCodec
from compliance.payloads.connect import connect, is_loopback
from compliance.vault.keyring import Vault
from models.errors import UnsafeSetting
from tests.support.temporal import TemporalServer


@pytest.mark.parametrize(
    ("address", "stays"),
    [
        ("127.0.0.1:7233", True),
        ("127.8.9.10:7233", True),
        ("localhost:7233", True),
        ("LOCALHOST:7233", True),
        ("[::1]:7233", True),
        ("0.0.0.0:7233", False),
        ("[::]:7233", False),
        ("10.0.0.1:7233", False),
        ("temporal.bank.example:7233", False),
        ("localhost.bank.example:7233", False),
        ("127.0.0.1.bank.example:7233", False),
        ("localhost@bank.example:7233", False),
        ("", False),
    ],
)
async def test_only_this_machine_is_reached_without_tls(vault: Vault, address: str, stays: bool) -> None:
    assert is_loopback(address) is stays
    if not stays:
        with pytest.raises(UnsafeSetting, match="TLS"):
            await connect(address=address, namespace="casework", vault=vault, lazy=True)


async def test_a_lazy_client_is_there_while_temporal_is_down(vault: Vault) -> None:
    client = await connect(address="127.0.0.1:1", namespace="casework", vault=vault, lazy=True)
    assert client.namespace == "casework"
    assert isinstance(client.data_converter.payload_codec, SealingCodec)


async def test_with_tls_another_machine_may_be_reached(vault: Vault) -> None:
    client = await connect(
        address="temporal.bank.example:7233", namespace="casework", vault=vault, lazy=True, tls=TLSConfig()
    )
    assert client.service_client.config.tls == TLSConfig()
    assert isinstance(client.data_converter.payload_codec, SealingCodec)


@pytest.mark.temporal
async def test_a_client_connects_to_this_machine(vault: Vault, temporal_server: TemporalServer) -> None:
    client = await connect(address=temporal_server.address, namespace=temporal_server.namespace, vault=vault)
    assert isinstance(client, Client)
    assert await client.service_client.check_health()
