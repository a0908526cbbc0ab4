"""Classes that are groups of other classes."""
import torch


def group_channels(logits, groups):
    r"""Logits of groups of classes, from those of their members.

    .. math::
        g_k = \log \sum_{l \in G_k} \exp f_l

    If every class is in one group, the softmax of g is the sum of the members' probabilities. A
    group's gradient goes to its members in proportion to these.

    Source: Papandreou et al., WSSL, section 4.5, as their released code aggregates channels.

    Args:
        logits (Tensor): f, (N, C, ...).
        groups (Sequence[Sequence[int]]): G, the classes of each of K groups.

    Returns:
        Tensor: g, (N, K, ...).
    """
    return torch.stack([logits[:, list(group)].logsumexp(1) for group in groups], 1)
