"""Says which mode `zscaler-mcp` resolves for each of several environments.

Reads a JSON list of objects (environment variables) from standard input and prints a JSON list of
mode names, `refused` where it would not start.
"""

import json
import logging
import os
import sys

from zscaler_mcp.security import auth

logging.disable(logging.CRITICAL)


def resolve(environment):
    os.environ.clear()
    os.environ.update(environment)
    config = auth._read_auth_config()
    if config is None:
        return "none"
    try:
        auth._create_provider(config)
    except (ValueError, RuntimeError):
        return "refused"
    return config["mode"]


print(json.dumps([resolve(environment) for environment in json.load(sys.stdin)]))
