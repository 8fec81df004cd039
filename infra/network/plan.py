"""What the network's own parts take up: ingress controller, cert-manager, issuer; and who calls them."""

from infra.cluster import selector
from infra.config import StackConfig
from infra.config.certificates import CertificatesConfig
from infra.config.login import DexConfig
from infra.config.network import ControllerConfig
from infra.network.names import CERT_MANAGER, DEX, DEX_PORT, WEBHOOK_PORT, http_port, https_port
from infra.plan import API_SERVER_PORT, INGRESS, Flow, Plan, Pods, Space, World, merged


def plan(stack: StackConfig) -> Plan:
    """Return the controller's place, ours or somebody else's, and what else of the network is ours."""
    network = stack.network
    dex = network.login.dex if network.login else None
    return merged(
        [
            _controller(network.controller) if network.controller else _foreign_controller(network.ingress_namespace),
            _cert_manager(network.certificates) if network.certificates else Plan(),
            _dex(dex) if dex else Plan(),
        ]
    )


def _foreign_controller(namespace: str) -> Plan:
    """Return somebody else's namespace, of which every pod may call what is exposed."""
    return Plan(spaces={INGRESS: Space(namespace=namespace, ours=False)}, pods={INGRESS: Pods(space=INGRESS)})


def _controller(controller: ControllerConfig) -> Plan:
    return Plan(
        spaces={INGRESS: Space(namespace=controller.namespace)},
        pods={INGRESS: Pods(space=INGRESS)},
        flows=(
            Flow(source=World.ANYWHERE, target=INGRESS, port=http_port(controller), reason="people, over HTTP"),
            Flow(source=World.ANYWHERE, target=INGRESS, port=https_port(controller), reason="people, over HTTPS"),
            Flow(source=INGRESS, target=World.API_SERVER, port=API_SERVER_PORT, reason="read Ingresses and Endpoints"),
        ),
    )


def _cert_manager(certificates: CertificatesConfig) -> Plan:
    flows = [
        Flow(source=CERT_MANAGER, target=World.API_SERVER, port=API_SERVER_PORT, reason="read and sign requests"),
        Flow(source=World.API_SERVER, target=CERT_MANAGER, port=WEBHOOK_PORT, reason="check issuers and certificates"),
    ]
    if certificates.acme:
        to_the_world = "the public authority, the keeper of our zone, and a resolver, all by HTTPS"
        flows.append(Flow(source=CERT_MANAGER, target=World.ANYWHERE, port=443, reason=to_the_world))
        if certificates.acme.dns01.rfc2136:
            port = int(certificates.acme.dns01.rfc2136.nameserver.partition(":")[2] or 53)
            flows.append(Flow(source=CERT_MANAGER, target=World.ANYWHERE, port=port, reason="change our zone"))
    return Plan(
        spaces={CERT_MANAGER: Space(namespace=certificates.namespace)},
        pods={CERT_MANAGER: Pods(space=CERT_MANAGER)},
        flows=tuple(flows),
    )


def _dex(dex: DexConfig) -> Plan:
    flows = [Flow(source=INGRESS, target=DEX, port=DEX_PORT, reason="people and programs log in")]
    if dex.connector:
        people = "ask who somebody is, and in which groups"
        flows.append(Flow(source=DEX, target=World.ANYWHERE, port=dex.connector.port, reason=people))
    return Plan(
        spaces={DEX: Space(namespace=dex.namespace)},
        pods={DEX: Pods(space=DEX, labels=selector(DEX))},
        flows=tuple(flows),
    )
