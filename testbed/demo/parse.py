"""Read the outputs that the demo and the end-to-end tests judge. No I/O."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any


def addresses(ip_addr_output: str) -> list[str]:
    """Return the addresses of `ip addr show`, without their prefix lengths."""
    return re.findall(r"^\s*inet6? ([0-9a-fA-F.:]+)", ip_addr_output, flags=re.MULTILINE)


def answer(listener_output: str) -> dict[str, str]:
    """Return the facts of a redirect listener's answer; empty when it is none."""
    known = ("answered-by", "original-destination", "peer", "x-forwarded-client-cert")
    pairs = (line.split(" ", 1) for line in listener_output.splitlines())
    return {pair[0]: pair[1] for pair in pairs if len(pair) > 1 and pair[0] in known}


def identity(listener_output: str) -> str:
    """Return the identity that Envoy saw in the client's certificate; "" without mutual TLS.

    https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/headers, at
    x-forwarded-client-cert: pairs of key and value, URI being the client's.
    """
    told = answer(listener_output).get("x-forwarded-client-cert", "")
    found = re.search(r"(?:^|[;,])URI=([^;,]+)", told)
    return found[1] if found else ""


def outcome(request_output: str) -> str:
    """Return in a few words what a request came to."""
    taken = answer(request_output)
    if taken:
        peer = identity(request_output)
        return f"answered on port {taken['answered-by']}{f' to {peer}' if peer else ''}"
    return "dropped: timed out" if "timed out" in request_output else "failed"


def coordinator_section(nad_config: str) -> Mapping[str, Any] | None:
    """Return the coordinator plugin of a NetworkAttachmentDefinition's spec.config.

    None when the text is no CNI configuration list or has no such plugin.
    """
    try:
        document = json.loads(nad_config)
    except json.JSONDecodeError:
        return None
    plugins = document.get("plugins", []) if isinstance(document, dict) else []
    found = [plugin for plugin in plugins if plugin.get("type") == "coordinator"]
    return found[0] if found else None


def veth_link_address(nad_config: str) -> str | None:
    """Return vethLinkAddress of the coordinator plugin, "" when it has none.

    None when there is no coordinator plugin to have one.
    """
    section = coordinator_section(nad_config)
    return None if section is None else str(section.get("vethLinkAddress", ""))


def holds_container(cgroup_file: str, container_id: str) -> bool:
    """Tell from /proc/PID/cgroup whether the process is in the given container."""
    return bool(container_id) and container_id in cgroup_file


def table(rows: Sequence[tuple[str, ...]]) -> str:
    """Lay out rows of text in columns; the first row is the head."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    ]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(line.rstrip() for line in lines)
