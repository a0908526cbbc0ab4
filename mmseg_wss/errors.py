"""The errors that speak to a user: what was expected, what came, in which file, what to do."""


class DataError(ValueError):
    """A file of the data set is missing, unreadable, or contradicts the rest of the data set.

    It is raised with a message that names the file and the remedy, and stops a training: mmengine's
    data sets would otherwise draw another image in silence.
    """


class DiskFullError(OSError):
    """No space is left on the disk: it ends a whole run, not the making of one file."""


class ReadOnlyError(OSError):
    """A folder takes no file: it ends a whole run, not the making of one file."""


class ConfigError(ValueError):
    """A config does not fit what it is used for.

    The message says what was expected, what was found, and which key of the config to change.
    """


# written for users: a training or a test ends with their message alone
USER_ERRORS = ConfigError, DataError, DiskFullError, ReadOnlyError


def message_of(error):
    """What an error says, without the traceback that a worker of a DataLoader puts before it."""
    return str(error).rpartition(f'{type(error).__name__}: ')[2].rstrip()


def abridged(names, limit=20):
    """Up to `limit` of `names` in one line."""
    return ', '.join(names[:limit]) + (f' and {len(names) - limit} more' if names[limit:] else '')
