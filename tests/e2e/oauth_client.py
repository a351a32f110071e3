"""An MCP client on the official Python SDK that signs in by OAuth.

usage: oauth_client.py URL FOLDER

What it remembers (registration, tokens, metadata) is kept in FOLDER. The browser is BROWSER.
Prints one JSON object: {"tools": [names], "text": what the tool `whoami` said}, or {"error": text}.
Exit code 0 when the call worked, 1 otherwise.
"""

import asyncio
import json
import os
import pathlib
import subprocess
import sys
import urllib.parse

import httpx2
from mcp import ClientSession
from mcp.client.auth import OAuthClientProvider
from mcp.client.auth.oauth2 import AuthorizationCodeResult
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import (
    OAuthClientInformationFull,
    OAuthClientMetadata,
    OAuthMetadata,
    OAuthToken,
)

PATIENCE_SECONDS = 30


class Storage:
    """The SDK's TokenStorage, in files."""

    def __init__(self, folder):
        self.tokens = pathlib.Path(folder, "tokens.json")
        self.client_info = pathlib.Path(folder, "client_info.json")
        self.metadata = pathlib.Path(folder, "metadata.json")

    async def get_tokens(self):
        return read(self.tokens, OAuthToken)

    async def set_tokens(self, tokens):
        self.tokens.write_text(tokens.model_dump_json(), encoding="utf-8")

    async def get_client_info(self):
        return read(self.client_info, OAuthClientInformationFull)

    async def set_client_info(self, client_info):
        self.client_info.write_text(client_info.model_dump_json(), encoding="utf-8")

    def recall(self, context):
        """Gives the SDK what it forgets when its process ends: where to refresh, and when."""
        context.oauth_metadata = read(self.metadata, OAuthMetadata)
        tokens = read(self.tokens, OAuthToken)
        if tokens and tokens.expires_in == 0:
            context.token_expiry_time = 1

    def remember(self, context):
        if context.oauth_metadata:
            text = context.oauth_metadata.model_dump_json(exclude_none=True)
            self.metadata.write_text(text, encoding="utf-8")


def read(path, model):
    if not path.exists():
        return None
    return model.model_validate_json(path.read_text(encoding="utf-8"))


class Callback:
    """The client's own loopback address, where the browser comes back to."""

    def __init__(self):
        self.arrived = asyncio.get_running_loop().create_future()
        self.server = None
        self.uri = ""

    async def listen(self):
        self.server = await asyncio.start_server(self.answer, "127.0.0.1", 0)
        port = self.server.sockets[0].getsockname()[1]
        # The port differs at each start, as RFC 8252 §7.3 has it; the registration stays.
        self.uri = f"http://127.0.0.1:{port}/callback"

    async def answer(self, reader, writer):
        target = (await reader.readline()).split()[1].decode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
        await writer.drain()
        writer.close()
        if not self.arrived.done():
            self.arrived.set_result(urllib.parse.parse_qs(target.partition("?")[2]))

    async def result(self):
        answer = await asyncio.wait_for(self.arrived, PATIENCE_SECONDS)
        if "error" in answer:
            raise PermissionError(f"refused: {answer['error'][0]}")
        first = {name: values[0] for name, values in answer.items()}
        return AuthorizationCodeResult(
            code=first["code"], state=first.get("state"), iss=first.get("iss")
        )


async def open_browser(url):
    subprocess.Popen([os.environ["BROWSER"], url], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


async def run(url, folder):
    callback = Callback()
    await callback.listen()
    metadata = OAuthClientMetadata(
        client_name="Portcullis e2e (Python SDK)",
        redirect_uris=[callback.uri],
        token_endpoint_auth_method="none",
        grant_types=["authorization_code", "refresh_token"],
        response_types=["code"],
    )
    storage = Storage(folder)
    provider = OAuthClientProvider(url, metadata, storage, open_browser, callback.result)
    storage.recall(provider.context)
    async with httpx2.AsyncClient(auth=provider, timeout=PATIENCE_SECONDS) as http:
        async with streamable_http_client(url, http_client=http) as streams:
            async with ClientSession(streams[0], streams[1]) as session:
                await session.initialize()
                tools = (await session.list_tools()).tools
                result = await session.call_tool("whoami", {})
                storage.remember(provider.context)
                text = "".join(getattr(part, "text", "") for part in result.content)
                return {"tools": [tool.name for tool in tools], "text": text}


def innermost(error):
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def main():
    try:
        print(json.dumps(asyncio.run(run(*sys.argv[1:]))))
        return 0
    except Exception as caught:
        error = innermost(caught)
        print(json.dumps({"error": f"{type(error).__name__}: {error}"}))
        return 1


if __name__ == "__main__":
    sys.exit(main())
