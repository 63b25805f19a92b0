"""Many requests at once from one place: those that must time out do so side by side."""

import shlex
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from testbed.demo.shell import Result

SECONDS = 5
"""How long a request waits for its answer: less than Envoy waits for a connection, which is 10."""

_END = "== end"
_FOLDER = "${TMPDIR:-/tmp}"


@dataclass(frozen=True)
class Request:
    """A request and the key of its answer."""

    key: object
    url: str


def script(requests: Iterable[Request]) -> str:
    """Return a shell script that makes the requests side by side and prints each result."""
    lines = []
    files = []
    for number, request in enumerate(requests):
        ask = f"fetch -timeout {SECONDS}s {shlex.quote(request.url)}"
        file = f"{_FOLDER}/$$.{number}"
        lines.append(f"{{ {ask} >{file} 2>&1; echo $? >{file}.status; }} &")
        files.append(file)
    lines.append("wait")
    lines += [f"cat {file}; echo '{_END}' $(cat {file}.status)" for file in files]
    return "\n".join(lines)


def read(requests: Iterable[Request], output: str) -> dict[object, Result]:
    """Return the results by key; a request without one failed to run at all."""
    results = {}
    lines = iter(output.splitlines())
    for request in requests:
        text: list[str] = []
        for line in lines:
            if line.startswith(_END):
                status = int(line.removeprefix(_END))
                results[request.key] = Result(request.url, status, "\n".join(text) + "\n")
                break
            text.append(line)
    return results


def side_by_side(
    origins: Mapping[str, list[Request]], execute: Callable[[str, str], str]
) -> dict[object, Result]:
    """Run the requests of all origins at once; `execute` runs a script at an origin."""
    results: dict[object, Result] = {}
    with ThreadPoolExecutor(max_workers=4) as pool:
        outputs = pool.map(
            lambda origin: execute(origin, script(origins[origin])), origins, timeout=240
        )
        for requests, output in zip(origins.values(), outputs, strict=True):
            results |= read(requests, output)
    return results
