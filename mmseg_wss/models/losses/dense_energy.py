"""Energies that are low where similar neighbours are predicted as one class (RRM)."""
import torch
import torch.nn.functional as F

from mmseg_wss.ops import bilateral_filter


def soft_filter(probs, labelled):
    """How much a pixel's energy counts (RRM, eq. 14).

    Args:
        probs (Tensor): (N, K, H, W).
        labelled (Tensor): bool (N, H, W).

    Returns:
        Tensor: (N, H, W), S = 1 - max over c of p(c) where labelled, 1 elsewhere.
    """
    return torch.where(labelled, 1 - probs.amax(1), torch.ones_like(probs[:, 0]))


def released_energy(images, probs, labelled, valid, sigma_rgb, sigma_xy, backend='auto'):
    """The energy that RRM's released code minimises.

    With s = p inside the images and 0 on padding, k the kernel of `bilateral_filter`, and S the
    soft filter:

        E = -1/N sum over i of S_i sum over j of k(i, j) <s_i, s_j>

    It is eq. 13 without the part of eq. 12 that does not depend on whether i and j agree, with a
    kernel that is not normalised and with j = i. Its gradient is the one of the released code,

        dE/ds_i = -2/N S_i sum over j of k(i, j) s_j,

    in which S is constant, and would be exact if S were the same at i and j.

    Args:
        images (Tensor): (N, 3, H, W), RGB in 0..255.
        probs (Tensor): (N, K, H, W).
        labelled, valid (Tensor): bool (N, H, W).
        sigma_rgb, sigma_xy, backend: see `bilateral_filter`.

    Returns:
        Tensor: scalar; grows with the mass of the kernel, thus with the size of the images.
    """
    known = probs.masked_fill(~valid[:, None], 0)
    fixed = known.detach()
    with torch.no_grad():
        gate = soft_filter(fixed, labelled)[:, None]
        messages = gate * bilateral_filter(fixed, images, sigma_rgb, sigma_xy, backend=backend)
    # 2 s - s has the value of s and twice its gradient.
    return -((2 * known - fixed) * messages).sum() / len(probs)


def paper_energy(images, probs, labelled, valid, sigma_rgb, sigma_xy, backend='auto'):
    """The energy of RRM's equations 10 to 14, per valid pixel.

    With V the valid pixels, k the kernel of `bilateral_filter`, and S the soft filter:

        E = 1/|V| sum over i in V of S_i sum over j in V, j != i, of G(i, j) e(i, j),
        e(i, j) = sum over c of p_i(c) (1 - p_j(c)),
        G(i, j) = k(i, j) / max(W_i, 1),   W_i = sum over j in V, j != i, of k(i, j).

    The paper says no more of 1/W than "normalized weights"; here they make each row of G sum to 1,
    so that E lies in 0..1 whatever the images' size. Where W_i < 1, all neighbours of a pixel
    together weigh less than the pixel itself (k(i, i) = 1). Its row then sums to W_i, so that it is
    not pulled towards pixels of other colours. The gradient is exact, through S too.

    On the lattice k(i, i) is below 1 (about 0.5 to 1), but 1 is subtracted for j = i. This matters
    little where a pixel has many similar neighbours. A pixel without any, whose W_i would be
    negative, takes no part.

    Args:
        images (Tensor): (N, 3, H, W), RGB in 0..255.
        probs (Tensor): (N, K, H, W).
        labelled, valid (Tensor): bool (N, H, W).
        sigma_rgb, sigma_xy, backend: see `bilateral_filter`.

    Returns:
        Tensor: scalar; 0 without a valid pixel.
    """
    known = probs.masked_fill(~valid[:, None], 0)
    values = torch.cat((known, valid[:, None].to(known)), 1)
    others = bilateral_filter(values, images, sigma_rgb, sigma_xy, backend=backend) - values
    agreeing, mass = others[:, :-1], others[:, -1:].detach()
    disagreement = (known * (mass - agreeing) * (mass > 0) / mass.clamp(min=1)).sum(1)
    return (soft_filter(known, labelled) * disagreement).sum() / valid.sum().clamp(min=1)


def downscale(images, probs, labels, valid, factor):
    """Everything an energy needs at a smaller size, free of what lies on the padding.

    Images, labels and valid are taken by nearest neighbour and probabilities bilinearly, as in the
    released code; only valid pixels take part in the mean, so that padding does not bleed in.

    Args:
        images (Tensor): (N, 3, H, W).
        probs (Tensor): float (N, K, H, W).
        labels (Tensor): (N, H, W).
        valid (Tensor): bool (N, H, W).
        factor (float): in (0, 1].

    Returns:
        tuple[Tensor]: the same four at (h, w) = (floor(H factor), floor(W factor)), images and
        probabilities 0 on the padding.
    """
    def nearest(maps):
        return F.interpolate(maps.float(), scale_factor=factor)

    def bilinear(maps):
        return F.interpolate(maps, scale_factor=factor, mode='bilinear', align_corners=False)

    inside = valid[:, None]
    share = bilinear(inside.to(probs))
    small_inside = (nearest(inside) > 0) & (share > 0)
    sums = bilinear(probs.masked_fill(~inside, 0)).masked_fill(~small_inside, 0)
    return (nearest(images).masked_fill(~small_inside, 0),
            sums / share.masked_fill(~small_inside, 1),
            nearest(labels[:, None])[:, 0].to(labels.dtype), small_inside[:, 0])
