#!/usr/bin/env python3
"""Starts a gateway in front of a real MCP server, tries it, and says how to use it; ends it again.

usage: demo.py up envoy|native [MODE]
       demo.py down envoy|native

Settings come from the environment, as everywhere. Where they leave a mode without what it needs,
the demo brings it: api-key a generated key, jwt, oidc, oidcproxy and zscaler a local identity
provider. Everything listens on loopback. What runs is noted under target/demo, and only that is
ended.
"""

import json
import os
import re
import secrets
import socket
import subprocess
import sys
import urllib.parse
import urllib.request

from demo_processes import Processes
from demo_words import say, tell, tell_sign_in
from sign_in import sign_in
from tools import ROOT, TARGET

ADDRESSES = {"envoy": ("127.0.0.1", 10000), "native": ("127.0.0.1", 8000)}
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
        self.processes = Processes(TARGET / "demo" / host)
        self.settings = dict(os.environ)
        self.url = f"http://{show(self.address)}/mcp"
        self.headers = []
        # Whether clients sign somebody in, and whether a script can.
        self.signs_in = self.by_script = False

    def up(self, mode):
        self.down()
        self.processes.make_folder()
        self.require_free_port()
        self.choose(mode)
        upstream = self.start_resource()
        self.start_gateway(upstream)
        self.try_and_tell()

    def down(self):
        self.processes.end_all()

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
            "oidcproxy": self.bring_sign_in,
            "oauth-proxy": self.bring_sign_in,
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
        return kept("api-key", lambda: self.portcullis("--generate-auth-token"))

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
        self.settings["OIDCPROXY_CONFIG_URL"] = idp["config_url"]
        self.settings["OIDCPROXY_BASE_URL"] = self.url
        # The token of the demo is for this one, whatever address the gateway has.
        self.settings["OIDCPROXY_AUDIENCE"] = idp["audience"]

    def bring_sign_in(self):
        self.signs_in = True
        if not self.settings.get("PORTCULLIS_STATE_KEYS", "").strip():
            # As long as the key is the same, clients are known.
            self.settings["PORTCULLIS_STATE_KEYS"] = kept("state-key", new_state_key)
        if self.settings.get("OIDCPROXY_CONFIG_URL", "").strip():
            return
        idp = self.start_idp("--redirect", f"http://{show(self.address)}/auth/callback")
        self.settings["OIDCPROXY_CONFIG_URL"] = idp["config_url"]
        self.settings["OIDCPROXY_BASE_URL"] = self.url
        self.settings["OIDCPROXY_CLIENT_ID"] = idp["gateway_client_id"]
        self.settings["OIDCPROXY_CLIENT_SECRET"] = idp["gateway_client_secret"]
        self.by_script = True

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

    def start_idp(self, *arguments):
        program = f"{tool('npm', ROOT / 'envoy' / 'demo' / 'idp')}/idp.mjs"
        self.start("idp", [tool("node"), program, "--listen", "127.0.0.1:0", *arguments])
        return json.loads(self.processes.wait_for_line("idp", r"^\{.*\}$"))

    def start_resource(self):
        self.start("resource", [DEBUG / "portcullis-demo", "--listen", "127.0.0.1:0"])
        return self.processes.wait_for_line("resource", r"(?<=listening on )http://[0-9.:]+")

    def start_gateway(self, upstream):
        place = ["--listen", show(self.address), "--upstream", upstream]
        self.settings["PORTCULLIS_STATE_DIR"] = str(self.processes.folder)
        if self.host == "envoy":
            bootstrap = self.processes.folder / "envoy.yaml"
            write_private(bootstrap, self.portcullis("render", "envoy", *place, "--filter", WASM))
            envoy = [tool("envoy"), "-c", bootstrap, "--use-dynamic-base-id", "-l", "warning"]
            self.start("gateway", envoy)
        else:
            self.start("gateway", [RELEASE / "portcullis", "serve", *place])
        self.wait_until_it_answers()

    def start(self, name, command):
        self.processes.start(name, command, self.settings)

    def portcullis(self, *words):
        command = [str(word) for word in (RELEASE / "portcullis", *words)]
        answer = subprocess.run(
            command, env=self.settings, stdout=subprocess.PIPE, text=True, check=False
        )
        if answer.returncode != 0:
            sys.exit(answer.returncode)
        return answer.stdout

    def wait_until_it_answers(self):
        url = f"http://{show(self.address)}/healthz"

        def answers():
            try:
                with urllib.request.urlopen(url, timeout=2) as answer:
                    return answer.status == 200
            except OSError:
                return False

        self.processes.wait_for("gateway", answers)

    def try_and_tell(self):
        say(f"Portcullis ({self.host}) answers on {self.url}, logs are in {self.processes.folder}")
        if self.by_script:
            self.headers = [f"Authorization: Bearer {sign_in(self.url)}"]
            say("A client registered, and a script signed a person in by browser.")
        # For `curl -H @FILE`.
        write_private(self.processes.folder / "credential", "\n".join(self.headers))
        client = [DEBUG / "portcullis-demo-client", self.url, "whoami", "{}"]
        with_it = [word for field in self.headers for word in ("--header", field)]
        if self.headers:
            seen = subprocess.run([*client, *with_it], stdout=subprocess.PIPE, check=True)
            say(f"An MCP client with the credential called `whoami`: {seen.stdout.decode()}")
        bare = subprocess.run(client, stdout=subprocess.DEVNULL, check=False)
        answers = {REFUSED: "is refused", 0: "is let in: this gate is open"}
        if bare.returncode not in answers:
            sys.exit("demo.py: the MCP client without a credential failed")
        say(f"The same client without a credential {answers[bare.returncode]}.\n")
        if self.signs_in:
            tell_sign_in(self.url, self.by_script)
            say(f"\n`make oidc-down{' HOST=native' if self.host == 'native' else ''}` ends it.")
        else:
            tell(self.url, self.headers)
            say(f"\n`make {self.host}-down` ends it.")


def tool(*words):
    command = [sys.executable, ROOT / "scripts" / "tools.py", *words]
    answer = subprocess.run([str(w) for w in command], stdout=subprocess.PIPE, text=True, check=False)
    if answer.returncode != 0:
        sys.exit(answer.returncode)
    return answer.stdout.strip()


def kept(name, make):
    """Returns what was made up once, the same for every start, so that clients stay configured."""
    path = TARGET / "demo" / name
    if not path.exists():
        write_private(path, make())
    return path.read_text(encoding="utf-8").strip()


def new_state_key():
    return secrets.token_urlsafe(32)


def write_private(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")


def show(address):
    return f"{address[0]}:{address[1]}"


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
