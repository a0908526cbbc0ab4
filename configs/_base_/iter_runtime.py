# default_runtime.py for trainings of thousands of iterations
_base_ = './default_runtime.py'
default_hooks = dict(checkpoint=dict(interval=1000))
