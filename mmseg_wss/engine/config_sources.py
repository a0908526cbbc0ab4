"""The data sets that a config names, inside their wrappers."""


def walk_datasets(dataset, key='dataset'):
    """The data sets inside wrappers (ConcatDataset, RepeatDataset, ...), in their order.

    Args:
        dataset (dict): the config of a data set or of a wrapper.
        key (str): the dotted key of `dataset` in its config.

    Yields:
        tuple[str, dict]: the dotted key of a data set, and its config.
    """
    if dataset.get('datasets'):
        for number, child in enumerate(dataset['datasets']):
            yield from walk_datasets(child, f'{key}.datasets.{number}')
    elif 'dataset' in dataset:
        yield from walk_datasets(dataset['dataset'], f'{key}.dataset')
    else:
        yield key, dataset


def walk_sources(cfg, split):
    """`walk_datasets` of a split ('train', 'val' or 'test') of a config, which has its loader."""
    loader = f'{split}_dataloader'
    return walk_datasets(cfg[loader]['dataset'], f'{loader}.dataset')


def leaf_datasets(dataset):
    """The configs of `walk_datasets` alone."""
    return (leaf for _, leaf in walk_datasets(dataset))
