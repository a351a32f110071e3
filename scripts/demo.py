#!/usr/bin/env python3
"""Starts a gateway in front of a real MCP server, tries it, and says how to use it; ends it again.

usage: demo.py up envoy|native [MODE]
       demo.py down envoy|native

Settings come from the environment, as everywhere. Where they leave a mode without what it needs,
the demo brings it: api-key a generated key, jwt, oidc and zscaler a local identity provider. Everything
listens on loopback. What runs is noted under target/demo, and only that is ended.
"""

import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request

from tools import ROOT, TARGET

ADDRESSES = {"envoy": ("127.0.0.1", 10000), "native": ("127.0.0.1", 8000)}
PATIENCE_SECONDS = 60
RELEASE = TARGET / "release"
# The server and the client of the demo: not a product, and the tests use the same build.
DEBUG = TARGET / "debug"
WASM = TARGET / "wasm32-wasip1" / "release" / "portcullis_filter.wasm"
# Settings by which a mode is chosen; without any of them the demo chooses api-key.
CHOOSING = (
    "ZSCALER_MCP_AUTH_ENABLED",
    "ZSCALER_MCP_AUTH_MODE",
    "ZSCALER_MCP_AUTH_API_KEY",
    "ZSCALER_MCP_AUTH_JWKS_URI",
    "OIDCPROXY_CONFIG_URL",
    "ZSCALER_VANITY_DOMAIN",
    "PORTCULLIS_TOKEN_URL",
)
REFUSED = 3


class Demo:
    """One running demo: its folder, the settings of its gateway, and a credential that works."""

    def __init__(self, host):
        self.host = host
        self.address = ADDRESSES[host]
        self.folder = TARGET / "demo" / host
        self.settings = dict(os.environ)
        self.headers = []

    def up(self, mode):
        self.down()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        self.require_free_port()
        self.choose(mode)
        upstream = self.start_resource()
        self.start_gateway(upstream)
        self.try_and_tell()

    def down(self):
        for note in sorted(self.folder.glob("*.pid")):
            stop(json.loads(note.read_text()))
            note.unlink()

    def require_free_port(self):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(self.address)
            except OSError as error:
                sys.exit(f"demo.py: {show(self.address)} is taken: {error.strerror}")

    def choose(self, mode):
        """Completes the settings, and finds a credential that works with them."""
        settings = self.settings
        if not mode and not any(settings.get(name, "").strip() for name in CHOOSING):
            mode = "api-key"
        if mode:
            settings["ZSCALER_MCP_AUTH_MODE"] = mode
        bring = {
            "api-key": self.bring_key,
            "jwt": self.bring_issuer,
            "oidc": self.bring_provider,
            "zscaler": self.bring_tenant,
        }
        mode = settings.get("ZSCALER_MCP_AUTH_MODE", "").strip().lower() or self.resolved_mode()
        bring.get(mode, lambda: None)()

    def resolved_mode(self):
        answer = self.portcullis("explain", "--listen", show(self.address))
        return re.search(r"(?m)^mode\W+([a-z-]+)", answer).group(1)

    def bring_key(self):
        if not self.settings.get("ZSCALER_MCP_AUTH_API_KEY", "").strip():
            self.settings["ZSCALER_MCP_AUTH_API_KEY"] = self.kept_key()
        key = self.settings["ZSCALER_MCP_AUTH_API_KEY"].strip()
        if not key.startswith("sha256:"):
            self.headers = [f"Authorization: Bearer {key}"]

    def kept_key(self):
        """Returns a generated key, the same for every start, so that clients stay configured."""
        path = TARGET / "demo" / "api-key"
        if not path.exists():
            write_private(path, self.portcullis("--generate-auth-token"))
        return path.read_text(encoding="utf-8").strip()

    def bring_issuer(self):
        if self.settings.get("ZSCALER_MCP_AUTH_JWKS_URI", "").strip():
            return
        idp = self.start_idp()
        self.bring_token(idp)
        self.settings["ZSCALER_MCP_AUTH_JWKS_URI"] = idp["jwks_uri"]
        self.settings["ZSCALER_MCP_AUTH_ISSUER"] = idp["issuer"]
        self.settings["ZSCALER_MCP_AUTH_AUDIENCE"] = idp["audience"]

    def bring_provider(self):
        if self.settings.get("OIDCPROXY_CONFIG_URL", "").strip():
            return
        idp = self.start_idp()
        self.bring_token(idp)
        self.settings["OIDCPROXY_CONFIG_URL"] = (
            f"{idp['issuer']}/.well-known/openid-configuration"
        )
        self.settings["OIDCPROXY_BASE_URL"] = f"http://{show(self.address)}/mcp"
        # The token of the demo is for this one, whatever address the gateway has.
        self.settings["OIDCPROXY_AUDIENCE"] = idp["audience"]

    def bring_token(self, idp):
        form = {"grant_type": "client_credentials", "resource": idp["audience"]}
        form |= {name: idp[name] for name in ("client_id", "client_secret")}
        data = urllib.parse.urlencode(form).encode()
        with urllib.request.urlopen(idp["token_url"], data, timeout=10) as answer:
            self.headers = [f"Authorization: Bearer {json.load(answer)['access_token']}"]

    def bring_tenant(self):
        if any(self.settings.get(name, "").strip() for name in CHOOSING[-2:]):
            return
        idp = self.start_idp()
        self.settings["PORTCULLIS_TOKEN_URL"] = idp["token_url"]
        self.headers = [
            f"X-Zscaler-Client-ID: {idp['client_id']}",
            f"X-Zscaler-Client-Secret: {idp['client_secret']}",
        ]

    def start_idp(self):
        folder = tool("npm", ROOT / "envoy" / "demo" / "idp")
        self.start("idp", [tool("node"), f"{folder}/idp.mjs", "--listen", "127.0.0.1:0"])
        return json.loads(self.wait_for_line("idp", r"^\{.*\}$"))

    def start_resource(self):
        self.start("resource", [DEBUG / "portcullis-demo", "--listen", "127.0.0.1:0"])
        return self.wait_for_line("resource", r"(?<=listening on )http://[0-9.:]+")

    def start_gateway(self, upstream):
        place = ["--listen", show(self.address), "--upstream", upstream]
        self.settings["PORTCULLIS_STATE_DIR"] = str(self.folder)
        if self.host == "envoy":
            bootstrap = self.folder / "envoy.yaml"
            write_private(bootstrap, self.portcullis("render", "envoy", *place, "--filter", WASM))
            envoy = [tool("envoy"), "-c", bootstrap, "--use-dynamic-base-id", "-l", "warning"]
            self.start("gateway", envoy)
        else:
            self.start("gateway", [RELEASE / "portcullis", "serve", *place])
        self.wait_until_it_answers()

    def portcullis(self, *words):
        command = [str(word) for word in (RELEASE / "portcullis", *words)]
        answer = subprocess.run(
            command, env=self.settings, stdout=subprocess.PIPE, text=True, check=False
        )
        if answer.returncode != 0:
            sys.exit(answer.returncode)
        return answer.stdout

    def start(self, name, command):
        """Starts a program that outlives this one, with its output in a file."""
        command = [str(word) for word in command]
        log = os.open(self.log(name), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        pid = detach(command, self.settings, log)
        os.close(log)
        note = {"pid": pid, "command": command}
        (self.folder / f"{name}.pid").write_text(json.dumps(note), encoding="utf-8")

    def log(self, name):
        return self.folder / f"{name}.log"

    def wait_for_line(self, name, pattern):
        found = self.wait_for(
            name, lambda: re.search(pattern, self.log(name).read_text(errors="replace"), re.M)
        )
        return found.group(0)

    def wait_until_it_answers(self):
        url = f"http://{show(self.address)}/healthz"

        def answers():
            try:
                with urllib.request.urlopen(url, timeout=2) as answer:
                    return answer.status == 200
            except OSError:
                return False

        self.wait_for("gateway", answers)

    def wait_for(self, name, condition):
        note = json.loads((self.folder / f"{name}.pid").read_text())
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            if found := condition():
                return found
            if not runs(note):
                break
            time.sleep(0.05)
        text = self.log(name).read_text(errors="replace")
        self.down()
        return sys.exit(f"demo.py: {name} did not come up; it wrote:\n{text}")

    def try_and_tell(self):
        url = f"http://{show(self.address)}/mcp"
        client = [DEBUG / "portcullis-demo-client", url, "whoami", "{}"]
        with_it = [word for field in self.headers for word in ("--header", field)]
        say(f"Portcullis ({self.host}) answers on {url}, logs are in {self.folder}")
        if self.headers:
            seen = subprocess.run([*client, *with_it], stdout=subprocess.PIPE, check=True)
            say(f"An MCP client with the credential called `whoami`: {seen.stdout.decode()}")
        bare = subprocess.run(client, stdout=subprocess.DEVNULL, check=False)
        answers = {REFUSED: "is refused", 0: "is let in: this gate is open"}
        if bare.returncode not in answers:
            sys.exit("demo.py: the MCP client without a credential failed")
        say(f"The same client without a credential {answers[bare.returncode]}.\n")
        self.tell(url)

    def tell(self, url):
        say("Client configuration (mcp-remote), for `mcpServers` of Claude Desktop, Cursor, …:\n")
        say(client_configuration(url, self.headers))
        if not self.headers:
            say("\nWhere a credential is wanted, add your own by --header.")
        fields = "".join(f" \\\n  -H '{field}'" for field in self.headers)
        say(f"\nTry it:\n\ncurl -i {url} \\\n  -H 'Content-Type: application/json' \\")
        say(f"  -H 'Accept: application/json, text/event-stream'{fields} \\\n  -d '{INITIALIZE}'")
        say(f"\ncurl -i -X POST {url}   # without a credential")
        say(f"\n`make {self.host}-down` ends it.")


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


def detach(command, environment, log):
    """Runs a command as a child of nobody and returns its process id.

    Envoy ends when the process that started it ends, so it is started by one that has gone.
    """
    pid_read, pid_write = os.pipe()
    between = os.fork()
    if between == 0:
        os.setsid()
        os.write(pid_write, str(fork_orphan(command, environment, log)).encode())
        os._exit(0)
    os.waitpid(between, 0)
    os.close(pid_write)
    # The pipe ends when the command is run, which closes it.
    with os.fdopen(pid_read, encoding="utf-8") as pid:
        return int(pid.read())


def fork_orphan(command, environment, log):
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    try:
        while os.getppid() == parent:
            time.sleep(0.001)
        for number, descriptor in enumerate((os.open(os.devnull, os.O_RDONLY), log, log)):
            os.dup2(descriptor, number)
        os.execve(command[0], command, environment)
    finally:
        os._exit(127)


def runs(note):
    """Tells whether a noted process still runs, and is not another with the same number."""
    listed = subprocess.run(
        ["ps", "-o", "command=", "-p", str(note["pid"])], capture_output=True, text=True, check=False
    )
    return pathlib.Path(note["command"][0]).name in listed.stdout


def stop(note):
    """Ends a noted process: politely first."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if not runs(note):
            return
        os.kill(note["pid"], number)
        deadline = time.monotonic() + 5
        while runs(note) and time.monotonic() < deadline:
            time.sleep(0.05)


def tool(*words):
    command = [sys.executable, ROOT / "scripts" / "tools.py", *words]
    answer = subprocess.run([str(w) for w in command], stdout=subprocess.PIPE, text=True, check=False)
    if answer.returncode != 0:
        sys.exit(answer.returncode)
    return answer.stdout.strip()


def write_private(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")


def show(address):
    return f"{address[0]}:{address[1]}"


def say(text):
    print(text, flush=True)


def main(arguments):
    words = [*arguments, ""][:3]
    if words[:2] not in [["up", "envoy"], ["up", "native"], ["down", "envoy"], ["down", "native"]]:
        sys.exit(__doc__)
    demo = Demo(words[1])
    if words[0] == "up":
        demo.up(words[2])
    else:
        demo.down()


if __name__ == "__main__":
    main(sys.argv[1:])
