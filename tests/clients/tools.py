"""Every tool of `lab mcp` by the MCP SDK for Python, over pipes and over HTTP on a unix socket.

    tools.py LAB NAME              `LAB mcp` over pipes, as the environment says (AAR_API, AAR_TOKEN, AAR_DATA, AAR_WORK)
    tools.py LAB NAME SOCKET       what listens on SOCKET, with AAR_TOKEN
"""

import asyncio
import json
import os
import pathlib
import sys

import httpx2
from mcp import StdioServerParameters
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client

CALLS = json.loads((pathlib.Path(__file__).parent / "calls.json").read_text())


async def call_every_tool(server, folder):
    async with Client(server) as client:
        listed = [tool.name for tool in (await client.list_tools()).tools]
        assert sorted(listed) == sorted(name for name, _, _ in CALLS), listed
        known = {"$folder": folder}
        for name, arguments, expect in CALLS:
            result = await client.call_tool(name, {key: known.get(value, value) for key, value in arguments.items()})
            text = "".join(block.text for block in result.content)
            assert not result.is_error and expect in text, f"{name}: {text}"
            if name == "submit":
                data = result.meta["aar/data"]
                known |= {"$id": data["id"], "$bundle": data["bundle"]}
    return len(listed)


async def main(lab, name, socket=None):
    if socket is None:
        server = StdioServerParameters(command=lab, args=["mcp"], env=dict(os.environ))
        return await call_every_tool(server, name)
    headers = {"authorization": f"Bearer {os.environ['AAR_TOKEN']}"}
    transport = httpx2.AsyncHTTPTransport(uds=socket)
    async with httpx2.AsyncClient(transport=transport, headers=headers, timeout=120) as http:
        return await call_every_tool(streamable_http_client("http://localhost/mcp", http_client=http), name)


print(asyncio.run(main(*sys.argv[1:])), "tools listed and called")
