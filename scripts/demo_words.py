"""What a demo tells the person who started it."""

import json
import shlex

from tools import ROOT

INITIALIZE = json.dumps({
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "curl", "version": "0"},
    },
})


def tell(url, headers):
    """Says how clients use the gateway at `url` with these header fields."""
    say("Client configuration (mcp-remote), for `mcpServers` of Claude Desktop, Cursor, …:\n")
    say(client_configuration(url, headers))
    if not headers:
        say("\nWhere a credential is wanted, add your own by --header.")
    fields = "".join(f" \\\n  -H '{field}'" for field in headers)
    say(f"\nTry it:\n\ncurl -i {url} \\\n  -H 'Content-Type: application/json' \\")
    say(f"  -H 'Accept: application/json, text/event-stream'{fields} \\\n  -d '{INITIALIZE}'")
    say(f"\ncurl -i -X POST {url}   # without a credential")


def tell_sign_in(url, by_script):
    """Says how clients that sign in use the gateway at `url`."""
    say("Sign in with mcp-remote; a browser opens, and the local provider takes any name:\n")
    say(f"npx -y mcp-remote {url}")
    if by_script:
        browser = shlex.quote(str(ROOT / "scripts" / "browser.py"))
        say("\nWithout a screen, a script can be the browser and the person; this lists the tools:\n")
        say(f"BROWSER={browser} npx -y -p mcp-remote mcp-remote-client {url}")
        signed_in = shlex.quote(str(ROOT / "scripts" / "sign_in.py"))
        say(f"\nAn access token for other things: {signed_in} {url}")
    say("\nClient configuration, for `mcpServers` of Claude Desktop, Cursor, …:\n")
    say(client_configuration(url, []))


def client_configuration(url, headers):
    # Some clients split arguments at blanks, so values travel in the environment.
    arguments, environment = ["-y", "mcp-remote", url], {}
    for number, field in enumerate(headers, 1):
        name, value = field.split(": ", 1)
        variable = f"PORTCULLIS_HEADER_{number}"
        arguments += ["--header", f"{name}:${{{variable}}}"]
        environment[variable] = value
    server = {"command": "npx", "args": arguments, "env": environment}
    return json.dumps({"mcpServers": {"portcullis": server}}, indent=2)


def say(text):
    print(text, flush=True)
