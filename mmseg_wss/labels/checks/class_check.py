"""What can be wrong with the classes of a data set or of a head."""
from mmseg_wss.errors import ConfigError
from mmseg_wss.labels.checks.label_check import IGNORE


def class_number_faults(number):
    """Whether masks of 8 bits can tell so many classes apart.

    Args:
        number (int): K, with the background.

    Returns:
        list[str]: a sentence with the remedy, or none.
    """
    if number <= IGNORE:
        return []
    return [f'has {number} classes, but a mask holds {IGNORE} (0..{IGNORE - 1}; {IGNORE} is '
            '"ignored"): leave some out, or merge them']


def check_class_number(number, owner):
    """See that a head has no more classes than masks of 8 bits can tell apart.

    Args:
        number (int): K, with the background.
        owner (str): who has them, for the message.

    Raises:
        ConfigError: there are more.
    """
    for fault in class_number_faults(number):
        raise ConfigError(f'{owner}: num_classes={number}: the head {fault}.')


def class_faults(classes):
    """List what is wrong with the names of classes.

    Args:
        classes (Sequence[str]): the names, background first.

    Returns:
        list[str]: one sentence a fault, with the remedy; empty where all is well.
    """
    if isinstance(classes, str):
        return [f'is the text {classes!r}, not a list of class names: write a list']
    if not classes:
        return ['is empty: write the name of each class, background first']
    faults = class_number_faults(len(classes))
    unnamed = [label for label, name in enumerate(classes)
               if not isinstance(name, str) or not name.strip()]
    if unnamed:
        faults.append(f'has no name for class {unnamed[0]}, but {classes[unnamed[0]]!r}: give each '
                      'class a name, a text that is not blank')
    numbers = {}
    for label, name in enumerate(classes):
        if label not in unnamed:
            numbers.setdefault(name.strip(), []).append(label)
    faults += [f'has the name {name!r} for the classes {", ".join(map(str, labels))}: give each '
               'class a name of its own' for name, labels in numbers.items() if len(labels) > 1]
    return faults
