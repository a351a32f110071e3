"""Serves a trivial application behind the authentication of `zscaler-mcp`, as that server wires it.

usage: zscaler_app.py PORT     settings are taken from the environment, as the server takes them
"""

import sys

import uvicorn
from zscaler_mcp.security.auth import apply_auth_middleware

BODY = b'{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"done"}]}}'
HEADERS = [
    (b"content-type", b"application/json"),
    (b"content-length", str(len(BODY)).encode()),
]


async def application(scope, receive, send):
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": BODY})


uvicorn.run(
    apply_auth_middleware(application, "streamable-http"),
    host="127.0.0.1",
    port=int(sys.argv[1]),
    log_level="warning",
    access_log=False,
)
