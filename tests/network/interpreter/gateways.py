"""What a network learns through its gateway, or through the peer's gateway that it uses."""

from tests.network.interpreter.documents import Cloud, Json, Network, low, networks_of, props


def gateways(cloud: Cloud, network: str) -> list[str]:
    """The gateways in a network and the remote ones that it uses: ids; of those not in the estate, where they stand."""
    found = own_gateways(cloud, network)
    for peering in cloud.peerings(network):
        peer = low(peering["remoteVirtualNetwork"])
        if not peering.get("useRemoteGateways"):
            continue
        if peer not in cloud.kind("virtualnetworks"):
            found.append(_gateway_of(peer))
        elif any(
            low(p["remoteVirtualNetwork"]) == network and p.get("allowGatewayTransit")
            for p in map(props, props(cloud.kind("virtualnetworks")[peer]).get("virtualNetworkPeerings") or [])
        ):
            found += own_gateways(cloud, peer)
    return found


def own_gateways(cloud: Cloud, network: str) -> list[str]:
    found = []
    for gateway_id, gateway in cloud.kind("virtualnetworkgateways").items():
        subnets = [low(props(config).get("subnet")) for config in props(gateway).get("ipConfigurations") or []]
        if any(subnet.startswith(network + "/") for subnet in subnets):
            found.append(gateway_id)
    return found if found or not _occupied(cloud, network) else [_gateway_of(network)]


def _gateway_of(network: str) -> str:
    return f"the gateway of {network}"


def _occupied(cloud: Cloud, network: str) -> bool:
    """Whether something stands in its GatewaySubnet, seen or not."""
    return bool(props(cloud.subnets.get(f"{network}/subnets/gatewaysubnet", {})).get("ipConfigurations"))


def connections(cloud: Cloud, gateway: str) -> list[Json]:
    known = (props(connection) for connection in cloud.kind("connections").values())
    return [connection for connection in known if low(connection.get("virtualNetworkGateway1")) == gateway]


def learnt(cloud: Cloud, gateway: str) -> list[Network]:
    """The prefixes of the local network gateways connected to it."""
    found = []
    for connection in connections(cloud, gateway):
        local = cloud.kind("localnetworkgateways").get(low(connection.get("localNetworkGateway2")), {})
        found += networks_of(props(local).get("localNetworkAddressSpace", {}).get("addressPrefixes") or [])
    return found


def learns_more(cloud: Cloud, gateway: str) -> bool:
    """Whether it may know prefixes that are not in the estate."""
    body = props(cloud.kind("virtualnetworkgateways").get(gateway, {}))
    known = connections(cloud, gateway)
    locals_known = cloud.kind("localnetworkgateways")
    return (
        not body
        or bool(body.get("enableBgp"))
        or str(body.get("gatewayType", "")).lower() != "vpn"
        or not known
        or any(low(connection.get("localNetworkGateway2")) not in locals_known for connection in known)
        or any(connection.get("enableBgp") for connection in known)
    )
