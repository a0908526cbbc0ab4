"""How a training or a test ends on a mistake of its user."""
from mmseg_wss.engine.data_lists import absent_data
from mmseg_wss.engine.run_config import read_run_config
from mmseg_wss.errors import USER_ERRORS, message_of


def run_with_messages(run, args):
    """Read the config of a run and call ``run(cfg, args)``.

    Errors that are written for users (`USER_ERRORS`) end it with their message alone, and with what
    to do where the data of the config are not there at all (`absent_data`).

    Args:
        run (Callable): takes the config and `args`.
        args (argparse.Namespace): see `read_run_config`.

    Raises:
        SystemExit: with the message.
    """
    cfg = {}
    try:
        cfg = read_run_config(args)
        run(cfg, args)
    except USER_ERRORS as error:
        raise SystemExit('\n'.join([message_of(error), *absent_data(cfg)])) from error
