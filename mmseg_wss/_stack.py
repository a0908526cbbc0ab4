"""Is the MM stack here, and in versions that this package was tested with?"""
import re
import warnings
from importlib import metadata

# import name -> {distribution: (oldest supported, first version not tested yet)}
REQUIREMENTS = {
    'mmengine': {'onedl-mmengine': ('0.10.10', '0.11'), 'mmengine': ('0.10.4', '0.11')},
    'mmcv': {'onedl-mmcv': ('2.3.0', '2.4'), 'mmcv': ('2.1.0', '2.3'),
             'mmcv-lite': ('2.1.0', '2.3')},
    'mmseg': {'onedl-mmsegmentation': ('1.4.0', '1.5'), 'mmsegmentation': ('1.2.0', '1.3')},
    'mmpretrain': {'onedl-mmpretrain': ('1.3.0', '1.4'), 'mmpretrain': ('1.2.0', '1.3')},
}

REMEDY = """Install it in one of two ways:
  - the maintained OneDL distributions, with torch and torchvision:
      pip install -e ".[mm]" -c constraints.txt      (from a checkout of mmseg_wss)
  - OpenMMLab's own releases, into an environment that already has torch:
      pip install -U openmim && mim install "mmengine>=0.10.4" "mmcv>=2.1.0,<2.2.0" \
"mmsegmentation>=1.2.0" "mmpretrain>=1.2.0"
"""


def _key(version):
    """(2, 3, 6) of '2.3.6rc1+cpu': enough to compare releases, without a dependency."""
    return tuple(int(n) for n in re.findall(r'\d+', version.split('+')[0])[:3])


def _installed(distributions):
    for name in distributions:
        try:
            return name, metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return None


def check_mm_stack():
    """Compare the installed MM distributions with `REQUIREMENTS`.

    Raises:
        ImportError: when one is missing or older than supported; names both ways to install it.

    Warns:
        UserWarning: when one is newer than what was tested.
    """
    faults, newer = [], []
    for module, distributions in REQUIREMENTS.items():
        found = _installed(distributions)
        if found is None:
            faults.append(f'{module} is not installed')
            continue
        name, version = found
        if name == 'mmcv-lite' and _installed(['mmsegmentation']):
            faults.append('mmcv-lite lacks the operators that mmsegmentation imports: '
                          'pip uninstall mmcv-lite, then install mmcv itself')
        oldest, untested = distributions[name]
        if _key(version) < _key(oldest):
            faults.append(f'{name} {version} is too old (at least {oldest} is needed)')
        elif _key(version) >= _key(untested):
            newer.append(f'{name} {version} (tested below {untested})')
    if faults:
        raise ImportError(
            f'mmseg_wss needs the MM stack: {"; ".join(faults)}.\n{REMEDY}')
    if newer:
        warnings.warn(f'mmseg_wss was not tested with {", ".join(newer)}; if something breaks, '
                      'install the versions of constraints.txt.', stacklevel=3)
