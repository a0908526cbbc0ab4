"""What the losses of this package refuse to be called with."""


def check_loss_inputs(logits, labels, weight, options, owner, why):
    """See that the arguments of a loss agree, and that none of them would be ignored.

    Args:
        logits (Tensor): (N, K, H, W), K >= 2.
        labels (Tensor): (N, H, W).
        weight (Tensor, optional): (N, H, W).
        options (dict): other options that mmseg's losses know; None is accepted.
        owner (str): name of the loss.
        why (str): a sentence on why it does not have them.

    Raises:
        ValueError: shapes that do not agree, logits of one class, or an option.
    """
    given = [name for name, value in options.items() if value is not None]
    if given:
        raise ValueError(f'{owner} has no option {", ".join(given)}: {why}')
    if logits.dim() != 4 or logits.shape[1] < 2:
        raise ValueError('cls_score must be (N, K, H, W) with K >= 2 (background is class 0); got '
                         f'shape {tuple(logits.shape)}.')
    expected = (logits.shape[0], *logits.shape[2:])
    for name, maps in (('label', labels), ('weight', weight)):
        if maps is not None and tuple(maps.shape) != expected:
            raise ValueError(f'{name} must have shape {expected}, to match cls_score '
                             f'{tuple(logits.shape)}; got {tuple(maps.shape)}.')
