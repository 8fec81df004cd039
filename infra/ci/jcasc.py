"""Jenkins' configuration as code: everything that people would otherwise set in its pages.

Secrets stand here by name only: ``%(NAME)`` becomes ``${NAME}``, which Jenkins replaces by the file NAME of its own.
Every other ``${`` (shell, Groovy) is escaped, for Jenkins would replace it too.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from infra.ci.agents import REVIEW_CLOUD, TRUSTED_CLOUD
from infra.ci.seed_jobs import GIT_CREDENTIAL
from infra.ci.webhook import AGENT_PORT, JENKINS

ADMIN_USER = "%(chart-admin-username)"
ADMIN_PASSWORD = "%(chart-admin-password)"  # noqa: S105 - a placeholder
GITLAB_CONNECTION = "gitlab"

PROVIDED = frozenset({"chart-admin-username", "chart-admin-password"})
"""Names that the chart mounts by itself, from the administrator's Secret."""


@dataclass(frozen=True, kw_only=True)
class LoginSettings:
    """The issuer through which people log in."""

    issuer: str
    """Its address."""
    client_id: str
    """Jenkins' name there."""
    scopes: Sequence[str]
    """What to ask for."""
    groups_claim: str
    """Claim that lists a person's groups."""
    admin_group: str
    """Group whose members administer."""
    user_group: str
    """Group whose members see everything and start builds."""


@dataclass(frozen=True, kw_only=True)
class CascSettings:
    """What Jenkins is configured for."""

    url: str
    """Address for people, with the ingress' port."""
    inside_url: str
    """Address for agents."""
    namespace: str
    """Jenkins' namespace."""
    builds_namespace: str
    """Where pods with Secrets are."""
    reviews_namespace: str
    """Where pods without any are."""
    templates: Mapping[str, Sequence[tuple[str, Mapping[str, Any]]]]
    """Cloud -> (label, pod) of its templates."""
    jobs: Sequence[str]
    """Job DSL scripts."""
    environment: Mapping[str, str]
    """Variables that every pipeline sees."""
    login: LoginSettings | None
    """Absent: one administrator, kept by Jenkins itself."""
    gitlab_url: str | None
    """A GitLab to report builds to; absent: a Git server of our own, whose webhooks are signed."""


def config_scripts(settings: CascSettings) -> dict[str, str]:
    """Return name -> file, as the chart wants them."""
    parts: dict[str, dict[str, Any]] = {
        "security": {"jenkins": _security(settings)},
        "clouds": {"jenkins": {"numExecutors": 0, "slaveAgentPort": AGENT_PORT, "clouds": _clouds(settings)}},
        "credentials": {"credentials": {"system": {"domainCredentials": [{"credentials": _credentials(settings)}]}}},
        "system": {"unclassified": _system(settings)},
        "environment": {
            "jenkins": {
                "globalNodeProperties": [
                    {
                        "envVars": {
                            "env": [{"key": key, "value": value} for key, value in sorted(settings.environment.items())]
                        }
                    }
                ]
            }
        },
        "pipelines": {"jobs": [{"script": script} for script in settings.jobs]},
    }
    return {name: as_text(content) for name, content in parts.items()}


def as_text(content: Mapping[str, Any]) -> str:
    """Return a configuration file: placeholders of secrets filled, everything else escaped.

    Raises:
        ValueError: it holds ``{{``, which the chart would run as a template.
    """
    text = yaml.dump(content, Dumper=_Dumper, sort_keys=False, width=4096)
    if "{{" in text:
        raise ValueError("a configuration script holds {{, which Helm would run as a template")
    return re.sub(r"%\(([a-z0-9-]+)\)", r"${\1}", text.replace("${", "^${"))


def secret_names(scripts: Mapping[str, str]) -> set[str]:
    """Return the names of the secrets that configuration scripts refer to."""
    return {name for text in scripts.values() for name in re.findall(r"(?<!\^)\$\{([^}]+)\}", text)}


def _security(settings: CascSettings) -> dict[str, Any]:
    login = settings.login
    if not login:
        return {
            "securityRealm": {
                "local": {"allowsSignup": False, "users": [{"id": ADMIN_USER, "password": ADMIN_PASSWORD}]}
            },
            "authorizationStrategy": {
                "globalMatrix": {"entries": [{"user": {"name": ADMIN_USER, "permissions": ["Overall/Administer"]}}]}
            },
        }
    return {
        "securityRealm": {
            "oic": {
                "serverConfiguration": {
                    "wellKnown": {
                        "wellKnownOpenIDConfigurationUrl": f"{login.issuer}/.well-known/openid-configuration",
                        "scopesOverride": " ".join(login.scopes),
                    }
                },
                "clientId": login.client_id,
                "clientSecret": "%(login-secret)",
                "userNameField": "email",
                "fullNameFieldName": "name",
                "emailFieldName": "email",
                "groupsFieldName": login.groups_claim,
                "logoutFromOpenidProvider": False,
                "properties": [
                    "pkce",
                    # The way in while the issuer does not answer.
                    {
                        "escapeHatch": {
                            "username": ADMIN_USER,
                            "secret": ADMIN_PASSWORD,
                            "group": login.admin_group,
                        }
                    },
                ],
            }
        },
        "authorizationStrategy": {
            "globalMatrix": {
                "entries": [
                    {"group": {"name": login.admin_group, "permissions": ["Overall/Administer"]}},
                    {
                        "group": {
                            "name": login.user_group,
                            "permissions": ["Overall/Read", "Job/Read", "Job/Build", "Job/Cancel", "View/Read"],
                        }
                    },
                ]
            }
        },
    }


def _clouds(settings: CascSettings) -> list[dict[str, Any]]:
    tunnel = f"{JENKINS}-agent.{settings.namespace}.svc:{AGENT_PORT}"
    namespaces = {TRUSTED_CLOUD: settings.builds_namespace, REVIEW_CLOUD: settings.reviews_namespace}
    return [
        {
            "kubernetes": {
                "name": cloud,
                "namespace": namespace,
                "serverUrl": "https://kubernetes.default",
                "jenkinsUrl": settings.inside_url,
                "jenkinsTunnel": tunnel,
                # One PC: builds wait for one another rather than for memory.
                "containerCapStr": "1",
                # Only the folders that the seed jobs name.
                "usageRestricted": True,
                "waitForPodSec": 900,
                "templates": [_template(label, pod) for label, pod in settings.templates[cloud]],
            }
        }
        for cloud, namespace in namespaces.items()
    ]


def _template(label: str, pod: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": label,
        "label": label,
        "nodeUsageMode": "EXCLUSIVE",
        "idleMinutes": 0,
        "showRawYaml": False,
        "yamlMergeStrategy": "override",
        "yaml": yaml.dump(dict(pod), Dumper=_Dumper, sort_keys=False, width=4096),
    }


def _credentials(settings: CascSettings) -> list[dict[str, Any]]:
    """Return the credentials; SYSTEM scope: Jenkins itself uses them, no pipeline can ask for them."""
    if settings.gitlab_url:
        return [
            {"gitLabApiTokenImpl": {"scope": "SYSTEM", "id": "gitlab-api", "apiToken": "%(git-token)"}},
            {
                "usernamePassword": {
                    "scope": "GLOBAL",
                    "id": GIT_CREDENTIAL,
                    "description": "A deploy token: it reads this project, and nothing else",
                    "username": "%(git-deploy-username)",
                    "password": "%(git-deploy-password)",
                }
            },
        ]
    return [{"string": {"scope": "SYSTEM", "id": "webhook-secret", "secret": "%(webhook-secret)"}}]


def _system(settings: CascSettings) -> dict[str, Any]:
    location: dict[str, Any] = {"location": {"url": f"{settings.url}/"}}
    if settings.gitlab_url:
        connection = {
            "name": GITLAB_CONNECTION,
            "url": settings.gitlab_url,
            "apiTokenId": "gitlab-api",
            "clientBuilderId": "autodetect",
            "ignoreCertificateErrors": False,
        }
        return {
            **location,
            # A job without a secret demands a login too: no call is taken from just anybody.
            "gitLabConnectionConfig": {"useAuthenticatedEndpoint": True, "connections": [connection]},
        }
    signed = {
        "host": "",
        "hmacEnabled": True,
        "hmacHeader": "X-Gitea-Signature",
        "hmacCredentialId": "webhook-secret",
        "hmacAlgorithm": "HmacSHA256",
    }
    return {**location, "whitelist": {"enabled": True, "whitelistItems": [signed]}}


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as such, so that a person can read the result."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - PyYAML's signature
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)
