"""A tool's secrets: looked up by the tool, for one environment, shown nowhere. docs/secrets.md tells how."""

from agentconsole.sdk.secrets.boundary import Secrets
from agentconsole.sdk.secrets.errors import (
    BadSecretNameError,
    SecretNotFoundError,
    SecretStoreDeniedError,
    SecretStoreError,
    WrongEnvironmentError,
)
from agentconsole.sdk.secrets.local import EnvironmentVariables, MountedFiles
from agentconsole.sdk.secrets.provider import Provider
from agentconsole.sdk.secrets.secret import Secret
from agentconsole.sdk.secrets.vault import AppRole, KubernetesLogin, Vault

__all__ = [
    "AppRole",
    "BadSecretNameError",
    "EnvironmentVariables",
    "KubernetesLogin",
    "MountedFiles",
    "Provider",
    "Secret",
    "SecretNotFoundError",
    "SecretStoreDeniedError",
    "SecretStoreError",
    "Secrets",
    "Vault",
    "WrongEnvironmentError",
]
