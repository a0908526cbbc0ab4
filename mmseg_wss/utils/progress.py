"""How far a tool is, for a terminal and for a log."""
import sys
import time
from datetime import timedelta


def track(items, description, total, every=30.):
    """Iterate, and show on stderr how much is done and how long the rest will take.

    A terminal gets a bar. Anything else (a file, a pipe) gets a line such as "Making masks:
    1200/9118, 0:42:10 left" now and then.

    Args:
        items (Iterable): what is iterated over.
        description (str): what is being done.
        total (int): number of items.
        every (float): seconds between two lines.

    Yields:
        the items.
    """
    if sys.stderr.isatty():
        from rich import progress  # here: it takes longer to load than many tools run
        from rich.console import Console
        yield from progress.track(items, description, total=total, console=Console(stderr=True))
        return
    begin = last = time.monotonic()
    for done, item in enumerate(items, 1):
        yield item
        now = time.monotonic()
        if now - last >= every:
            last = now
            left = timedelta(seconds=round((now - begin) / done * (total - done)))
            print(f'{description}: {done}/{total}, {left} left', file=sys.stderr, flush=True)
