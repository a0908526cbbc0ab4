"""mmengine's runner with a short start on the terminal."""
import logging

from mmengine.runner import Runner

from mmseg_wss.utils.quiet_libraries import hide_warnings

_IN_FILE_ONLY = (  # how messages begin that a user need not see at each start
    '\n' + '-' * 60 + '\nSystem environment:', 'Config:\n', 'Hooks will be executed in the ',
    'Distributed training is not used, ', 'The prefix is not set in metric class ',
    '"FileClient" will be deprecated', '"HardDiskBackend" is the alias of', 'paramwise_options -- ')


def is_for_terminal(record):
    """Whether a record of the log is shown on the terminal, too."""
    return not str(record.msg).startswith(_IN_FILE_ONLY)


class QuietRunner(Runner):
    """A runner that writes the config, the environment and the hooks to the log file alone.

    mmengine prints them, 470 lines, ahead of the first step. The file of the log keeps all of it,
    and its path is the first line on the terminal.
    """

    def build_logger(self, *args, **kwargs):
        """The logger of mmengine; what it prints is filtered by `is_for_terminal`."""
        hide_warnings()
        logger = super().build_logger(*args, **kwargs)
        for handler in logger.handlers:
            if not isinstance(handler, logging.FileHandler):
                handler.addFilter(is_for_terminal)
        logger.info(f'Log, with the config and the environment: {logger._log_file}')
        return logger
