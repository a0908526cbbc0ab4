"""The papers' parameters of the dense CRF, by name."""
_SYMMETRIC = dict(iterations=10, sxy_gaussian=3, compat_gaussian=3)
_AFTER = dict(_SYMMETRIC, normalization='after')

CRF_PRESETS = dict(
    # AffinityNet's, which RRM mines its labels with and DSRG makes its masks with
    affinitynet=dict(_SYMMETRIC, sxy_bilateral=80, srgb=13, compat_bilateral=10),
    # RRM at test time (released code)
    rrm=dict(_SYMMETRIC, sxy_bilateral=83, srgb=5, compat_bilateral=4),
    # DeepLab with VGG16, as released with WSSL: small field of view, multi-scale, with COCO
    deeplab=dict(_AFTER, sxy_bilateral=50, srgb=10, compat_bilateral=5),
    deeplab_msc=dict(_AFTER, sxy_bilateral=95, srgb=3, compat_bilateral=3),
    deeplab_coco=dict(_AFTER, sxy_bilateral=67, srgb=3, compat_bilateral=5),
)
"""dict[str, dict]: name -> options of `mmseg_wss.ops.dense_crf`."""
