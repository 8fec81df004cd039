"""From the configuration of the network to its components."""

from infra.cluster import labels
from infra.config.certificates import CertificatesConfig
from infra.config.hosts import served_hosts
from infra.config.login import DexConfig
from infra.config.network import ControllerConfig
from infra.network.address import ACME, OWN_CA, cluster_issuer
from infra.network.authorities import Authorities, AuthoritiesArgs, version_of
from infra.network.cert_manager import CertManager, CertManagerArgs
from infra.network.controller import Controller
from infra.network.controller_args import ControllerArgs
from infra.network.dex import CONFIG_FILE, Dex, DexArgs
from infra.network.dex_config import configuration
from infra.network.issuers import DNS_SECRET_FILE, AcmeIssuer, AcmeIssuerArgs, OwnCa, OwnCaArgs
from infra.network.login import login_of
from infra.network.names import CERT_MANAGER, DEX
from infra.network.policies import Policies, PoliciesArgs
from infra.plan import INGRESS
from infra.secrets.files import SecretFiles, SecretFilesArgs, declare_secret
from infra.site import Site


def declare(site: Site) -> None:
    """Declare that nothing may talk but what the plan's flows allow; then the ways in that are ours."""
    Policies("network", PoliciesArgs(namespaces=site.namespaces, plan=site.plan), opts=site.options)
    network = site.stack.network
    if network.authorities:
        args = AuthoritiesArgs(namespaces=site.namespaces, certificates=network.authorities)
        Authorities("authorities", args, opts=site.options)
    if network.controller:
        _controller(site, network.controller)
    if network.certificates:
        _certificates(site, network.certificates)
    if network.login and network.login.dex:
        _dex(site, network.login.dex)


def _controller(site: Site, config: ControllerConfig) -> None:
    Controller(
        INGRESS,
        ControllerArgs(
            namespace=site.namespaces[INGRESS],
            kind=config.kind,
            ingress_class=site.stack.network.ingress_class,
            http_port=config.http_port,
            https_port=config.https_port,
            status_address=site.stack.cluster.node_address,
            redirects_to_https=cluster_issuer(site.stack) is not None,
            memory_mib=config.memory_mib,
            cluster_ip=config.cluster_ip,
        ),
        opts=site.options,
    )


def _certificates(site: Site, config: CertificatesConfig) -> None:
    manager = CertManager(
        CERT_MANAGER,
        CertManagerArgs(
            namespace=site.namespaces[CERT_MANAGER], resolver=config.acme.resolver if config.acme else None
        ),
        opts=site.options,
    )
    namespace = manager.namespace  # `depends_on` of a component does not reach its children
    if config.acme:
        secret = SecretFiles(
            "acme-dns",
            SecretFilesArgs(
                namespace=namespace,
                labels=labels("network", ACME),
                files={DNS_SECRET_FILE: "${acmeDnsSecret}"},
                values=site.secrets.values,
                vault=site.stack.secrets.vault,
            ),
            opts=site.options,
        )
        AcmeIssuer(ACME, AcmeIssuerArgs(acme=config.acme, secret=secret.secret), opts=site.options)
    else:
        OwnCa(OWN_CA, OwnCaArgs(namespace=namespace, domains=_domains(site), years=config.ca_years), opts=site.options)


def _domains(site: Site) -> list[str]:
    """Return the domains of everything that the stack serves by a name: all that our own root may sign for."""
    names = [host for _, host in served_hosts(site.stack)]
    if site.stack.registry.server:
        names.append(site.stack.registry.hostname)
    parents = {name: name.partition(".")[2] for name in names}
    return sorted({parent if "." in parent else name for name, parent in parents.items()})


def _dex(site: Site, config: DexConfig) -> None:
    login, issuer = login_of(site.stack), cluster_issuer(site.stack)
    if login is None or issuer is None:
        raise ValueError("the configuration lets Dex through only with a login and certificates")
    files = {CONFIG_FILE: configuration(config, login)}
    file = declare_secret(site, "network", "dex-config", DEX, files, component=DEX)
    Dex(
        DEX,
        DexArgs(
            namespace=site.namespaces[DEX],
            image=config.image,
            config=file.secret,
            config_version=file.version,
            authorities=version_of(site.stack),
            host=config.host,
            ingress_class=site.stack.network.ingress_class,
            cluster_issuer=issuer,
            storage_class=site.stack.storage.storage_class,
            memory_mib=config.memory_mib,
        ),
        opts=site.options,
    )
