"""The one way to Temporal: no client exists that sends in clear over a network or without the sealing codec."""

import ipaddress
from collections.abc import Sequence

from temporalio.client import Client, Interceptor
from temporalio.service import TLSConfig

from compliance.payloads.converter import data_converter
from compliance.vault.keyring import Vault
from models.errors import UnsafeSetting


async def connect(
    *,
    address: str,
    namespace: str,
    vault: Vault,
    lazy: bool = False,
    tls: TLSConfig | None = None,
    interceptors: Sequence[Interceptor] = (),
) -> Client:
    """A client whose payloads and failures are sealed.

    Args:
        address: `host:port` of the frontend.
        namespace: payloads of any other are refused.
        vault: where the keys come from.
        lazy: connect at the first call, so that the caller starts while Temporal is down. A worker needs False.
        tls: required unless the host is this machine.
        interceptors: of the client; those that are the worker's too are taken from it.

    Raises:
        UnsafeSetting: the address leaves this machine without TLS.
    """
    if tls is None and not is_loopback(address):
        raise UnsafeSetting(detail=f"Temporal at {address} is not this machine: TLS settings are needed")
    return await Client.connect(
        address,
        namespace=namespace,
        data_converter=data_converter(vault, namespace=namespace),
        interceptors=list(interceptors),
        lazy=lazy,
        tls=tls if tls is not None else False,
    )


def is_loopback(address: str) -> bool:
    """Whether `host:port` stays on this machine. No name but `localhost` does: none is looked up."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        host = address
    host = host.removeprefix("[").removesuffix("]")
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
