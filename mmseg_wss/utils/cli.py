"""How the tools take their common options, report and end."""
import argparse
import os
import signal
import sys
from contextlib import contextmanager

MAX_WORKERS = 8  # by default; more rarely helps, since the disk is shared


def positive_int(text):
    """The type of an option that counts something: a whole number, at least 1."""
    return _whole_number(text, 1)


def natural_int(text):
    """The type of an option that may be 0, too: a whole number, at least 0."""
    return _whole_number(text, 0)


def _whole_number(text, least):
    number = int(text)
    if number < least:
        raise argparse.ArgumentTypeError(f'expected at least {least}, got {text}')
    return number


def add_workers(parser, what='processes, with one thread each'):
    """Add ``--workers N`` to a parser; the default is the number of cores, at most 8."""
    parser.add_argument('--workers', type=positive_int, metavar='N',
                        default=min(MAX_WORKERS, os.cpu_count()),
                        help=f'{what} (default: %(default)s)')


def report_outcome(outcome, up_to_date, place):
    """Print which jobs failed and why, and how many were made.

    Args:
        outcome (Outcome): from `run_jobs`.
        up_to_date (int): number of files that were there before.
        place (str | Path): where the files are.

    Returns:
        int: number of jobs that failed.
    """
    for name, message in sorted(outcome.failures.items()):
        print(f'{name}: {message}')
    print(f'{outcome.made} made in {outcome.seconds:.1f} s, {up_to_date} up to date, '
          f'{len(outcome.failures)} failed: {place}')
    return len(outcome.failures)


def allow_stop():
    """Let Ctrl-C end a tool without a traceback while its libraries are loaded.

    It is called ahead of imports that take seconds, and holds until `run_tool`. Nothing is being
    written yet, so the process ends at once, with the exit code 130.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # else a shell ignores it
        signal.signal(signal.SIGINT, _stop_at_once)


def _stop_at_once(*_):
    os.write(1, b'Stopped.\n')  # what is printed now may be held back (`quiet_imports`)
    os._exit(130)  # libraries would catch an exception, or print it


@contextmanager
def unmasked_stop():
    """Raise KeyboardInterrupt where a library has made another error of it.

    mmengine does while it formats a config.
    """
    try:
        yield
    except Exception as error:
        cause = error
        while cause is not None and not isinstance(cause, KeyboardInterrupt):
            cause = cause.__cause__ or cause.__context__
        if cause is None:
            raise
        raise KeyboardInterrupt from error


def run_tool(run, args, made=None):
    """Run a tool, and exit as its user expects.

    The exit code is 0, or 1 if ``run(args)`` says that something failed. Errors that are written
    for users (ImportError, OSError, ValueError, which DataError and ConfigError are) are printed
    without a traceback. SIGTERM stops the tool as Ctrl-C does, with the exit code 130.

    Args:
        run (Callable): takes `args`, returns the number of failures or None.
        args (argparse.Namespace): has `out`, the folder that files are made in, if `made` is given.
        made (str, optional): what the tool makes, in the plural, if it can go on after a stop.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if signal.getsignal(signal.SIGINT) is _stop_at_once:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with unmasked_stop():
            failures = run(args)
        sys.exit((failures or 0) > 0)
    except KeyboardInterrupt:
        print(f'Stopped. The finished {made} are in {args.out}. Run the same command again to '
              'continue.' if made else 'Stopped.')
        sys.exit(130)
    except (ImportError, OSError, ValueError) as error:
        sys.exit(str(error))
