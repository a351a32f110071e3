#!/usr/bin/env python3
"""Signs a person in at a protected resource without a screen, and prints an access token.

usage: sign_in.py URL

Does what an MCP client does that meets URL for the first time: asks it, reads where to sign in,
registers, sends a browser (browser.py, which approves) there, and swaps the code for a token.
"""

import base64
import hashlib
import http.server
import json
import secrets
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request

from browser import Browser

PATIENCE_SECONDS = 20


def sign_in(resource):
    """Returns an access token for a resource."""
    about = metadata(resource)
    server = fetch(f"{about['authorization_servers'][0]}/.well-known/oauth-authorization-server")
    with Callback() as callback:
        client = register(server["registration_endpoint"], callback.uri)
        verifier, state = secrets.token_urlsafe(32), secrets.token_urlsafe(16)
        digest = hashlib.sha256(verifier.encode()).digest()
        asked = {
            "response_type": "code",
            "client_id": client,
            "redirect_uri": callback.uri,
            "state": state,
            "resource": resource,
            "scope": " ".join(about.get("scopes_supported", [])),
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        asked = {name: value for name, value in asked.items() if value}
        place = f"{server['authorization_endpoint']}?{urllib.parse.urlencode(asked)}"
        arrived = Browser("approve").visit(place).url
        form = {
            "grant_type": "authorization_code",
            "code": code(arrived, callback.uri, state, server["issuer"]),
            "code_verifier": verifier,
            "redirect_uri": callback.uri,
            "client_id": client,
            "resource": resource,
        }
    granted = fetch(server["token_endpoint"], urllib.parse.urlencode(form).encode())
    return granted["access_token"]


def metadata(resource):
    """Returns what a resource says of itself (RFC 9728), found by its challenge."""
    try:
        with opener().open(urllib.request.Request(resource, method="POST")):
            sys.exit(f"sign_in.py: {resource} lets everybody in")
    except urllib.error.HTTPError as refusal:
        challenge = refusal.headers.get("WWW-Authenticate", "")
    _, _, rest = challenge.partition('resource_metadata="')
    return fetch(rest.partition('"')[0])


def register(endpoint, redirect_uri):
    client = {
        "client_name": "sign_in.py",
        "redirect_uris": [redirect_uri],
        "token_endpoint_auth_method": "none",
    }
    return fetch(endpoint, json.dumps(client).encode(), "application/json")["client_id"]


def code(arrived, redirect_uri, state, issuer):
    """Reads the code out of where the browser came to, when all else there is right."""
    place, _, query = arrived.partition("?")
    answer = dict(urllib.parse.parse_qsl(query))
    expected = (redirect_uri, state, issuer)
    if (place, answer.get("state"), answer.get("iss")) != expected or "code" not in answer:
        sys.exit(f"sign_in.py: the browser ended at {arrived}")
    return answer["code"]


def fetch(url, body=None, kind="application/x-www-form-urlencoded"):
    request = urllib.request.Request(url, body)
    if body is not None:
        request.add_header("Content-Type", kind)
    with opener().open(request, timeout=PATIENCE_SECONDS) as answer:
        return json.load(answer)


def opener():
    # Proxies are for the world outside.
    return urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Callback:
    """The client's own loopback address, where the browser comes back to."""

    def __init__(self):
        self.server = http.server.HTTPServer(("127.0.0.1", 0), Closing)
        self.uri = f"http://127.0.0.1:{self.server.server_port}/callback"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


class Closing(http.server.BaseHTTPRequestHandler):
    """Tells whoever comes that the window can be closed."""

    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"You may close this window.")

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    print(sign_in(sys.argv[1]))
