# in place of PhotoMetricDistortion, for images whose masks say what a network sees in them as they
# are (UniMatch's); with custom_imports of mmpretrain.datasets.transforms
strong_augmentation = [
    dict(type='RandomApply', prob=0.8, transforms=[dict(
        type='mmpretrain.ColorJitter', brightness=0.5, contrast=0.5, saturation=0.5, hue=0.25)]),
    dict(type='RandomGrayscale', prob=0.2, keep_channels=True),
    dict(type='mmpretrain.GaussianBlur', magnitude_range=(0.1, 2.0), magnitude_std='inf', prob=0.5),
]
