"""What a Harbor holds: projects, caches of other registries, and robots with the rights that each needs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumiverse_harbor as harbor
from pulumi import ComponentResource, Input, Output, ResourceOptions
from pulumiverse_harbor import RetentionPolicyRuleArgsDict, RobotAccountPermissionArgsDict

from infra.config.harbor import HarborConfig, HarborProjectConfig, HarborProxyConfig
from infra.registry.access import BUILDER, COPIER, PULLER

PULL, PUSH = ("pull",), ("pull", "push")
EVERYTHING = "**"


@dataclass(frozen=True, kw_only=True)
class HarborArgs:
    """What :class:`Harbor` needs from its caller."""

    url: str
    """Address of Harbor."""
    config: HarborConfig
    """Its projects and caches."""
    password: Input[str]
    """The administrator's; pass a secret Output."""
    puller_password: Input[str]
    """What the nodes' robot gets; pass a secret Output. Pods read it elsewhere, so Harbor must not make it up."""
    built: str
    """Project that builds are pushed to."""
    copied: Sequence[str] = ()
    """Projects that copies are pushed to; empty: nothing is copied."""


class Harbor(ComponentResource):
    """Projects, caches and robots of a Harbor that exists already.

    Projects and caches outlive ``destroy``, with their images. A wrong administrator's password: the first project
    fails with Harbor's 401, and nothing is pushed, since every push waits for this component.
    """

    builder_password: Output[str]
    """What the builders' robot logs in with, made up by Harbor; a secret."""
    copier_password: Output[str]
    """The same of the robot that pushes copies; empty where nothing is copied."""

    def __init__(self, name: str, args: HarborArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:registry:Harbor", name, {}, opts)
        config = args.config
        provider = harbor.Provider(
            f"{name}-provider",
            url=args.url,
            username=config.username,
            password=args.password,
            robot_prefix=config.robot_prefix,
            insecure=False,  # the provider's own default is to trust any certificate
            opts=ResourceOptions(parent=self),
        )
        child = ResourceOptions(parent=self, provider=provider)
        # What is in them was copied or built for hours, and a cluster may run it still.
        kept = ResourceOptions.merge(child, ResourceOptions(retain_on_delete=True))
        projects: dict[str, harbor.Project] = {}
        for project, its in config.projects.items():
            projects[project] = _project(f"{name}-{project}", project, its, kept)
        for project, proxy in config.proxies.items():
            projects[project] = _proxy(f"{name}-{project}", project, proxy, kept)

        pulled = dict.fromkeys(projects, PULL)
        bases = dict.fromkeys(config.proxies, PULL)
        robots = ResourceOptions.merge(child, ResourceOptions(depends_on=list(projects.values())))
        _robot(f"{name}-{PULLER}", PULLER, "pulls for the cluster", pulled, robots, password=args.puller_password)
        builder = _robot(f"{name}-{BUILDER}", BUILDER, "pushes what is built", {**bases, args.built: PUSH}, robots)
        self.builder_password = Output.secret(builder.secret)
        self.copier_password = Output.secret("")
        if args.copied:
            pushed = dict.fromkeys(args.copied, PUSH)
            copier = _robot(f"{name}-{COPIER}", COPIER, "pushes copies of others' images", pushed, robots)
            self.copier_password = Output.secret(copier.secret)
        self.register_outputs({"builder_password": self.builder_password, "copier_password": self.copier_password})


def _project(name: str, project: str, config: HarborProjectConfig, opts: ResourceOptions) -> harbor.Project:
    declared = harbor.Project(
        name,
        name=project,
        public=False,
        vulnerability_scanning=True,
        storage_quota=config.quota_gib,
        opts=opts,
    )
    if config.immutable_tags:
        harbor.ImmutableTagRule(
            f"{name}-immutable",
            project_id=declared.id,
            repo_matching=EVERYTHING,
            tag_matching=config.immutable_tags,
            opts=opts,
        )
    _retention(name, declared, {"most_recently_pushed": config.keep_newest}, opts)
    return declared


def _proxy(name: str, project: str, config: HarborProxyConfig, opts: ResourceOptions) -> harbor.Project:
    source = harbor.Registry(
        f"{name}-source", name=project, provider_name=config.kind, endpoint_url=config.url, opts=opts
    )
    declared = harbor.Project(
        name,
        name=project,
        public=True,  # what it fetches is anybody's, and pods of every namespace, and builders, start from it
        registry_id=source.registry_id,
        vulnerability_scanning=True,
        storage_quota=config.quota_gib,
        opts=opts,
    )
    _retention(name, declared, {"n_days_since_last_pull": config.keep_days}, opts)
    return declared


def _retention(name: str, project: harbor.Project, kept: RetentionPolicyRuleArgsDict, opts: ResourceOptions) -> None:
    rule: RetentionPolicyRuleArgsDict = {
        **kept,
        "repo_matching": EVERYTHING,
        "tag_matching": EVERYTHING,
        # A tag that was pushed again left its old image without one, and pods may run that by digest.
        "untagged_artifacts": True,
    }
    harbor.RetentionPolicy(f"{name}-retention", scope=project.id, schedule="Daily", rules=[rule], opts=opts)


def _robot(
    name: str,
    robot: str,
    does: str,
    rights: Mapping[str, Sequence[str]],
    opts: ResourceOptions,
    *,
    password: Input[str] | None = None,
) -> harbor.RobotAccount:
    """Declare a robot of several projects, which no project's own robot can be; it never expires."""
    permissions: list[RobotAccountPermissionArgsDict] = [
        {
            "kind": "project",
            "namespace": project,
            "accesses": [{"resource": "repository", "action": action} for action in actions],
        }
        for project, actions in sorted(rights.items())
    ]
    return harbor.RobotAccount(
        name,
        name=robot,
        level="system",
        description=f"{does}; made by aihub",
        permissions=permissions,
        secret=password,
        opts=opts,
    )
