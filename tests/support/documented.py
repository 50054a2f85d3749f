"""The code examples of *Platform Connectivity and Authentication*, letter by letter.

People come with code written after that page. It must run here with nothing but its import changed,
so nothing else is changed here either: not the names, not the order, not what its comments say.
"""

from __future__ import annotations

import textwrap
from typing import Any, Final

THEIRS: Final = "from flytekit.configuration import"
OURS: Final = "from platform_auth import"


def _example(text: str) -> str:
    return textwrap.dedent(text).lstrip("\n")


ENDPOINTS: Final = _example("""
    from flytekit.configuration import PlatformConfig

    # Direct instantiation for a specific endpoint
    # This is useful when all parameters are known at runtime or hardcoded.
    config = PlatformConfig.for_endpoint("my-flyte-admin.example.com:443", insecure=False)

    # For a local insecure setup, often used during development
    local_config = PlatformConfig(endpoint="localhost:30080", insecure=True)
""")

AUTO: Final = _example("""
    from flytekit.configuration import PlatformConfig

    # Load configuration automatically from default paths or a specified config file.
    # This method simplifies deployment by externalizing configuration.
    auto_config = PlatformConfig.auto()
""")

AUTO_FILE: Final = _example("""
    admin:
      endpoint: "my-prod-admin.example.com:443"
      insecure: false
      authType: Pkce
      clientId: "my-app-client-id"
      clientSecretEnvVar: "FLYTE_CLIENT_SECRET" # Refers to an environment variable
      caCertFilePath: "/etc/ssl/certs/my_custom_ca.pem"
""")
"""The file that `AUTO` is said to read; the page's own copy of it has lost its indentation."""

PKCE: Final = _example("""
    from flytekit.configuration import PlatformConfig, AuthType

    pkce_config = PlatformConfig(
    endpoint="auth-enabled-admin.example.com:443",
    client_id="your-pkce-client-id",
    auth_mode=AuthType.PKCE,
    scopes=["openid", "profile", "email", "offline_access"]
    )
""")

CLIENT_CREDENTIALS: Final = _example("""
    from flytekit.configuration import PlatformConfig, AuthType
    import os

    # Option 1: Client secret from an environment variable
    # Ensure the environment variable is set before running the application.
    os.environ["FLYTE_SERVICE_SECRET"] = "your-very-secret-key"
    client_credentials_config_env = PlatformConfig(
    endpoint="auth-enabled-admin.example.com:443",
    client_id="your-service-client-id",
    # 'client_credentials_secret_env_var' is read by PlatformConfig.auto()
    # If instantiating directly, you would use 'client_credentials_secret'
    client_credentials_secret=os.getenv("FLYTE_SERVICE_SECRET"),
    auth_mode=AuthType.CLIENT_CREDENTIALS, # or AuthType.CLIENTSECRET
    scopes=["api"]
    )

    # Option 2: Client secret from a file (e.g., a mounted secret in a container)
    # Assuming 'client_secret.txt' contains the secret.
    # with open("client_secret.txt", "w") as f:
    # f.write("another-very-secret-key")
    client_credentials_config_file = PlatformConfig(
    endpoint="auth-enabled-admin.example.com:443",
    client_id="your-service-client-id",
    # 'client_credentials_secret_location' is read by PlatformConfig.auto()
    # For direct instantiation, you'd read the file content yourself.
    client_credentials_secret=open("client_secret.txt").read().strip(),
    auth_mode=AuthType.CLIENT_CREDENTIALS,
    scopes=["api"]
    )

    # Option 3: Client secret directly (less secure, avoid if possible in production)
    client_credentials_config_direct = PlatformConfig(
    endpoint="auth-enabled-admin.example.com:443",
    client_id="your-service-client-id",
    client_credentials_secret="direct-secret-value",
    auth_mode=AuthType.CLIENT_CREDENTIALS,
    scopes=["api"]
    )
""")

EXTERNAL_COMMAND: Final = _example("""
    from flytekit.configuration import PlatformConfig, AuthType

    # Example: A script that fetches a token (e.g., from a cloud provider's CLI).
    # Ensure 'get_token.sh' is executable and outputs the token to stdout.
    # #!/bin/bash
    # echo "my-custom-access-token"
    external_command_config = PlatformConfig(
    endpoint="custom-auth-admin.example.com:443",
    command=["./get_token.sh"],
    auth_mode=AuthType.EXTERNAL_PROCESS
    )
""")

EXTERNAL_COMMAND_SCRIPT: Final = '#!/bin/bash\necho "my-custom-access-token"\n'
"""The script that `EXTERNAL_COMMAND` describes."""

DEVICE_FLOW: Final = _example("""
    from flytekit.configuration import PlatformConfig, AuthType

    device_flow_config = PlatformConfig(
    endpoint="auth-enabled-admin.example.com:443",
    client_id="your-device-client-id",
    auth_mode=AuthType.DEVICEFLOW,
    scopes=["openid", "profile"]
    )
""")

SECURE_CONNECTIONS: Final = _example("""
    from flytekit.configuration import PlatformConfig

    # Secure connection with a custom CA certificate
    secure_config = PlatformConfig(
    endpoint="secure-admin.example.com:443",
    ca_cert_file_path="/etc/ssl/certs/my_custom_ca.pem"
    )

    # Insecure connection (for local development or testing)
    dev_config = PlatformConfig(endpoint="localhost:30080", insecure=True)

    # Connection skipping certificate verification (use with extreme caution)
    risky_config = PlatformConfig(
    endpoint="admin.example.com:443",
    insecure_skip_verify=True
    )
""")

PROXY: Final = _example("""
    from flytekit.configuration import PlatformConfig, AuthType

    proxy_config = PlatformConfig(
    endpoint="auth-enabled-admin.example.com:443",
    client_id="your-client-id",
    auth_mode=AuthType.PKCE,
    http_proxy_url="http://proxy.example.com:8080"
    )
""")

EXAMPLES: Final = {
    "endpoints": ENDPOINTS,
    "auto": AUTO,
    "pkce": PKCE,
    "client-credentials": CLIENT_CREDENTIALS,
    "external-command": EXTERNAL_COMMAND,
    "device-flow": DEVICE_FLOW,
    "secure-connections": SECURE_CONNECTIONS,
    "proxy": PROXY,
}
"""All of them."""


def run(example: str, *, imports: str = OURS) -> dict[str, Any]:
    """Run an example with its import changed, in the current directory; return its variables.

    Parameters
    ----------
    example
        One of `EXAMPLES`.
    imports
        What stands before the imported names: `OURS`, or `THEIRS` for the original.

    """
    assert example.count(THEIRS) == 1
    variables: dict[str, Any] = {}
    exec(compile(example.replace(THEIRS, imports), "<example>", "exec"), variables)  # noqa: S102
    del variables["__builtins__"]
    return variables
