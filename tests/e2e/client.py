"""An MCP client on the official Python SDK: lists the tools of a server and calls one.

usage: client.py URL TOOL|- JSON-ARGUMENTS [--header 'NAME: VALUE']...

With the tool `-` it only lists. Prints one JSON object: {"tools": [names], "text": what the tool
said}. Exit code 0 when that worked, 3 when the server refused the client with 401 or 403, 1 for
all else.
"""

import asyncio
import json
import sys

import httpx2
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client


async def run(url, tool, arguments, headers, statuses):
    async def note(response):
        statuses.add(response.status_code)

    hooks = {"response": [note]}
    async with httpx2.AsyncClient(headers=headers, event_hooks=hooks) as http:
        async with streamable_http_client(url, http_client=http) as streams:
            async with ClientSession(streams[0], streams[1]) as session:
                await session.initialize()
                tools = (await session.list_tools()).tools
                text = ""
                if tool != "-":
                    result = await session.call_tool(tool, arguments)
                    text = "".join(getattr(part, "text", "") for part in result.content)
                return {"tools": [tool.name for tool in tools], "text": text}


def main():
    url, tool, arguments, *rest = sys.argv[1:]
    headers = dict(tuple(part.strip() for part in field.split(":", 1)) for field in rest[1::2])
    # The SDK shows the JSON-RPC error of a refusal, not its status.
    statuses = set()
    try:
        print(json.dumps(asyncio.run(run(url, tool, json.loads(arguments), headers, statuses))))
        return 0
    except BaseExceptionGroup as group:
        error = group.exceptions[0]
    except Exception as caught:
        error = caught
    print(json.dumps({"error": f"{type(error).__name__}: {error}"}))
    return 3 if statuses & {401, 403} else 1


if __name__ == "__main__":
    sys.exit(main())
