"""Jenkins' plugins, all pinned together.

Where the versions come from: `io.jenkins.tools.bom:bom-2.568.x`, the list of plugins that Jenkins' own maintainers test
with one another on the controller's line (github.com/jenkinsci/bom, of 2026-08-21); `workflow-aggregator` from the
chart's values, `generic-webhook-trigger` from its releases: the list has neither. With `installLatestPlugins: false`
each of their dependencies gets the version that they ask for: the same set at every start.

To raise them: take the chart's next version, look up its `appVersion` (2.568 ...), copy every version below from the
bom of that line, `make preview STACK=wsl`. One by one is how the old controller ended in a crash loop.
"""

from infra.config import StackConfig

COMMON = {
    "kubernetes": "4547.v52f3080db_8cd",
    "workflow-aggregator": "608.v67378e9d3db_1",
    "workflow-job": "1571.1580.v18e46842c125",
    "git": "5.10.1",
    "configuration-as-code": "2117.vc05a_0b_e6b_f4e",
    "job-dsl": "3732.v9a_c49a_61a_313",
    "cloudbees-folder": "6.1106.v3a_d9a_6d2465e",
    "credentials": "1511.v2e3cb_0008ef0",
    "credentials-binding": "728.v902a_273b_8947",
    "plain-credentials": "199.v9f8e1f741799",
    "matrix-auth": "3.3",
    "junit": "1424.vc64a_edde7777",
    "pipeline-build-step": "599.v4b_67ea_11b_152",
    "pipeline-stage-view": "2.41",
    "timestamper": "1.30",
    "prometheus": "860.v532442b_44e9a_",
    "script-security": "1412.v7737b_3405f86",
    "structs": "362.va_b_695ef4fdf9",
}
"""Plugin -> version, whatever the stack."""
GITEA = {"generic-webhook-trigger": "2.4.1"}
"""For a Git server of our own; not the `gitea` plugin, which answers 200 to a webhook whose signature is wrong."""
GITLAB = {"gitlab-plugin": "1.9.16"}
"""For a GitLab; answers 401 to a wrong secret."""
LOGIN = {"oic-auth": "4.718.ve731df6ca_88a_"}
"""Where people log in through the stack's issuer."""


def plugins(stack: StackConfig, *, login: bool) -> list[str]:
    """Return ``NAME:VERSION`` of every plugin of a stack, sorted."""
    git = stack.ci.git
    wanted = {**COMMON, **(GITLAB if git and git.gitlab else GITEA), **(LOGIN if login else {})}
    return [f"{name}:{version}" for name, version in sorted(wanted.items())]
