"""The services' files, where Vault's agent writes them in place of Secrets."""

from pulumi import ResourceOptions

from infra.aipp.secret_files import files_of, secret_name
from infra.config import StackConfig
from infra.config.aipp import AippConfig
from infra.secrets.access import Agent
from infra.secrets.agent import AgentFiles, by_agent
from infra.secrets.files import keys_of


def agents(config: AippConfig) -> dict[str, Agent]:
    """Return end of a role's name -> the pod that logs in with it; none where External Secrets brings the files."""
    if config.secrets_by != "agent":
        return {}
    paths = config.vault_paths()
    return {
        f"{config.namespace}-{service}": Agent(
            account=service,
            namespace=config.namespace,
            paths=sorted({paths[key] for key in keys_of(files)}),
        )
        for service, files in files_of(config).items()
    }


def served_by_agent(stack: StackConfig, options: ResourceOptions) -> ResourceOptions:
    """Return ``options`` with what turns the services' pods into ones that the agent serves, where it does."""
    config, vault = stack.aipp, stack.secrets.vault
    if not (config and config.secrets_by == "agent" and vault and vault.access):
        return options
    written = {
        secret_name(service): AgentFiles(
            role=f"{vault.access.role}-{config.namespace}-{service}", files=files, paths=config.vault_paths()
        )
        for service, files in files_of(config).items()
    }
    transformation = by_agent(vault.access, vault.mount, written)
    return ResourceOptions.merge(options, ResourceOptions(transformations=[transformation]))
