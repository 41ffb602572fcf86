"""Proxies: from where a request came, if it came through what stands in front of the workers."""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

from aiohttp import web


class Proxies:
    """Those whose X-Forwarded-For is believed; what anybody else sends there says nothing."""

    def __init__(self, networks: Iterable[str] = ()) -> None:
        """Raises ``ValueError`` for what is no address and no network."""
        self._networks = [ip_network(each) for each in networks]

    def origin(self, request: web.Request) -> str:
        """The nearest hop that is none of them: what is farther away, only it says.

        Of IPv6 its /64, for whoever has one address has all of these.
        """
        said = ",".join(request.headers.getall("X-Forwarded-For", ()))
        origin = _address(request.remote or "")
        for hop in reversed(said.split(",") if said else ()):
            before = _address(hop)
            if before is None or not self._ours(origin):
                break
            origin = before
        if isinstance(origin, IPv6Address):
            return str(IPv6Network((origin, 64), strict=False))
        return str(origin)

    def _ours(self, address: IPv4Address | IPv6Address | None) -> bool:
        return address is not None and any(address in network for network in self._networks)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.strip())
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
