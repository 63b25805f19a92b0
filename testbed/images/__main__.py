"""Print where the archive of an image lies, making it first when it is not there."""

import sys

from testbed import guard
from testbed.errors import TestbedError
from testbed.images import build_product, ensure_box, ensure_pause


def main() -> None:
    """Print the paths of the archives that the arguments name: pause, box, product."""
    known = {"pause": ensure_pause, "box": ensure_box, "product": build_product}
    for argument in sys.argv[1:]:
        if argument not in known:
            raise SystemExit(f"{argument!r} is no image: choose from {', '.join(known)}")
        try:
            guard.enter()
            made = known[argument]()
        except TestbedError as failure:
            raise SystemExit(f"images: {failure}") from failure
        for path in made if isinstance(made, tuple) else (made,):
            print(path)


main()
