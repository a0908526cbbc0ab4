"""How tools that make files end."""
import signal
import sys


def exit_after(run, args, made):
    """Run a tool, and exit as its user expects.

    The exit code is 0, or 1 if ``run(args)`` says that something failed. Errors that are written
    for users (ImportError, OSError, ValueError) are printed without a traceback. SIGTERM stops the
    tool as Ctrl-C does: 130, and a word on what there is.

    Args:
        run (Callable): takes `args`, returns the number of failures.
        args (argparse.Namespace): with `out`, the folder that files are made in.
        made (str): what they are, in the plural.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        sys.exit(run(args) > 0)
    except KeyboardInterrupt:
        print(f'stopped: the {made} made so far are in {args.out}; the same command goes on.')
        sys.exit(130)
    except (ImportError, OSError, ValueError) as error:
        sys.exit(f'{error}')
