"""What the config of a data set says about its labels."""


def is_weak(source):
    """Whether a data set has labels other than true masks.

    Args:
        source (dict): its config; without ``supervision`` it has true masks, as data sets of mmseg.
    """
    return source.get('supervision', 'pixel') != 'pixel'
