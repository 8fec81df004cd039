"""The namespaces of the Git server, of Jenkins and of its pods, of an account from outside, and who calls whom."""

from infra.ci.agents import DRIFT, REVIEW
from infra.ci.build_pod import COMPONENT as BUILD
from infra.ci.git import GITEA, GITEA_PORT, repositories
from infra.ci.gitea_setup import COMPONENT as SETUP
from infra.ci.webhook import AGENT_PORT, JENKINS, JENKINS_PORT, argocd_webhook
from infra.cluster import selector
from infra.config import StackConfig
from infra.delivery.argocd import SERVER_PORT
from infra.delivery.plan import SPACE as ARGOCD
from infra.network.address import port_of
from infra.network.login import login_of
from infra.plan import API_SERVER_PORT, INGRESS, Flow, Plan, Pods, Space, World


def plan(stack: StackConfig) -> Plan:
    """Return what the configured parts take up; nothing where there is none."""
    parts = (_git(stack), _builds(stack), _jenkins(stack), _drift(stack))
    return Plan(
        spaces={name: space for part in parts for name, space in part.spaces.items()},
        pods={name: pods for part in parts for name, pods in part.pods.items()},
        flows=tuple(flow for part in parts for flow in part.flows),
    )


def _git(stack: StackConfig) -> Plan:
    server, gitlab = (stack.ci.git.server, stack.ci.git.gitlab) if stack.ci.git else (None, None)
    if gitlab:
        callers = {JENKINS: "read the pipelines", BUILD: "fetch the source, comment"}
        callers |= dict.fromkeys((REVIEW, DRIFT), "fetch the source")
        port = port_of(gitlab.url)
        return Plan(
            flows=tuple(
                Flow(source=source, target=World.ANYWHERE, port=port, reason=reason)
                for source, reason in callers.items()
            )
        )
    if not server:
        return Plan()
    flows = [Flow(source=SETUP, target=GITEA, port=GITEA_PORT, reason="make repositories and webhook")]
    if server.host:
        flows.append(Flow(source=INGRESS, target=GITEA, port=GITEA_PORT, reason="people push and read"))
    if len(repositories(stack)) > 1:
        flows.append(Flow(source=World.ANYWHERE, target=GITEA, port=GITEA_PORT, reason="Argo CD follows a repository"))
    if argocd_webhook(stack):
        flows.append(Flow(source=GITEA, target=ARGOCD, port=SERVER_PORT, reason="tell Argo CD of a push"))
    if stack.ci.builder:
        flows.append(Flow(source=BUILD, target=GITEA, port=GITEA_PORT, reason="fetch the source"))
    return Plan(
        spaces={"git": Space(namespace=server.namespace)},
        pods={name: Pods(space="git", labels=selector(name)) for name in (GITEA, SETUP)},
        flows=tuple(flows),
    )


def _builds(stack: StackConfig) -> Plan:
    if not stack.ci.builder:
        return Plan()
    registry = "registry" if stack.registry.server else World.ANYWHERE
    port = int(stack.registry.host.partition(":")[2] or 443)
    flows = (
        Flow(source=BUILD, target=World.ANYWHERE, port=443, reason="packages, base images, registries elsewhere"),
        Flow(source=BUILD, target=World.ANYWHERE, port=80, reason="Debian's packages"),
        Flow(source=BUILD, target=registry, port=port, reason="push images"),
    )
    return Plan(
        spaces={"builds": Space(namespace=stack.ci.builder.namespace)},
        pods={BUILD: Pods(space="builds", labels=selector(BUILD))},
        flows=flows,
    )


def _jenkins(stack: StackConfig) -> Plan:
    jenkins, login = stack.ci.jenkins, login_of(stack)
    if not jenkins:
        return Plan()
    flows = [
        Flow(source=INGRESS, target=JENKINS, port=JENKINS_PORT, reason="people, and a GitLab outside the cluster"),
        Flow(
            source=JENKINS,
            target=World.API_SERVER,
            port=API_SERVER_PORT,
            reason="make the builds' pods, watch its configuration",
        ),
        Flow(source=JENKINS, target=World.ANYWHERE, port=443, reason="plugins"),
        Flow(source=REVIEW, target=World.ANYWHERE, port=443, reason="packages for tests"),
        Flow(source=DRIFT, target=World.ANYWHERE, port=443, reason="packages of the program"),
        Flow(source=DRIFT, target=World.API_SERVER, port=API_SERVER_PORT, reason="compare with what is declared"),
    ]
    for agents in (BUILD, REVIEW, DRIFT):
        flows += [
            Flow(source=agents, target=JENKINS, port=JENKINS_PORT, reason="an agent introduces itself"),
            Flow(source=agents, target=JENKINS, port=AGENT_PORT, reason="an agent takes its commands"),
        ]
    if stack.ci.git and stack.ci.git.server:
        flows += [
            Flow(source=JENKINS, target=GITEA, port=GITEA_PORT, reason="read the pipelines"),
            Flow(source=REVIEW, target=GITEA, port=GITEA_PORT, reason="fetch the source"),
            Flow(source=DRIFT, target=GITEA, port=GITEA_PORT, reason="fetch the source"),
            Flow(source=GITEA, target=JENKINS, port=JENKINS_PORT, reason="the webhook of a push"),
        ]
    if login:
        flows.append(login.flow(JENKINS))
    return Plan(
        spaces={"ci": Space(namespace=jenkins.namespace), "reviews": Space(namespace=jenkins.review_namespace)},
        pods={
            JENKINS: Pods(
                space="ci",
                labels={
                    "app.kubernetes.io/component": "jenkins-controller",
                    "app.kubernetes.io/instance": JENKINS,
                },
            ),
            REVIEW: Pods(space="reviews", labels=selector(REVIEW)),
            DRIFT: Pods(space="builds", labels=selector(DRIFT)),
        },
        flows=tuple(flows),
    )


def _drift(stack: StackConfig) -> Plan:
    """Return where the account of a CI elsewhere is: no pod of it runs in the cluster."""
    return Plan(spaces={DRIFT: Space(namespace=stack.ci.drift.namespace)}) if stack.ci.drift else Plan()
