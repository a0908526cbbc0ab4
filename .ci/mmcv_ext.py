"""Stands in for ``mmcv._ext`` where mmcv is built without operators: whoever calls one is told."""


def __getattr__(name):
    if name.startswith('__'):
        raise AttributeError(name)

    def operator(*args, **kwargs):
        raise NotImplementedError(f'mmcv is built without operators, {name} among them')
    return operator
