"""The numbers that choices depend on, and the figures that their reasons rest on.

A new measurement changes a line here, and nothing else, unless it turns a choice around
(`choices.py`).
"""

# ---- when a choice changes

FEW_MASKS = 25  # strong images for training; below it the strong branch needs help
MORE_TEACHERS = 1, 2  # seeds of the networks beside the teacher, where images have no label
ENSEMBLE_TAU = 0.8  # the mean of three keeps as much above it as one of them above 0.9
VERY_FEW_MASKS = 10  # below it, nothing can be judged on them
FEW_VAL = 20  # images; below it, mIoU of the validation says little
RARE = 0.05  # share of the labelled images that have a class
SMALL = 0.01  # share of an image that a class covers, where it is
OBJECT_PROB, REPEAT_THRESHOLD = 0.33, 0.3
SMALLEST_SEEN = 16  # pixels, sqrt(area): a tenth of all, or half of a class, may be seen smaller

# ---- sizes of a training

SCALE, CROP = 320, 224  # configs/msrc; other scales keep their ratio
STEP_OF_SIZES = 32
LARGEST_SCALE = dict(cpu=480, cuda=1024)
USUAL_SCALE = dict(cpu=320, cuda=640)  # as far as the photographs have so many pixels
BATCH, LARGEST_BATCH = 8, 16
STEPS = dict(cpu=1500, cuda=4000)
LEAST_MEMORY = 6.  # GB of a GPU for ResNet-50
MEMORY_OF_512 = 2.  # GB, an image of 512 x 512 through ResNet-50 at output stride 8
MEMORY_USED = 0.85  # of a GPU
STEP_SECONDS = 1.5, 2.  # 8 crops of 224, EfficientNet-Lite0, one core
VALIDATED = (250, 100), (600, 250), (10 ** 9, 500)  # up to so many val images: steps between

# ---- what was measured, and where it is written

_RESULTS = 'docs/results.md, "{}"'.format
FIRST_TABLE = _RESULTS('MSRC: 60 masks, 225 boxed images')
FIGURES = dict(
    single=('60 masks alone: 70.1 mIoU; 60 masks and 225 painted boxes in one branch: 67.6',
            FIRST_TABLE),
    dual=('60 masks and 225 painted boxes: 76.5 mIoU, 70.1 with the masks alone; all 285 masks: '
          '77.2', FIRST_TABLE),
    mixed=('15 masks and 270 boxed images with proposals: 71.5 mIoU, 58.0 where the strong branch '
           'sees the masks alone', _RESULTS('MSRC: 15 masks')),
    proposals=('proposals have 88.5 mIoU where they are sure, painted boxes 73.0',
               _RESULTS('MSRC: how good are masks from boxes?')),
    box_masks=("60 masks and 225 boxed images: with these masks and from the teacher's weights "
               '72.1 mIoU, the masks alone 65.8, all 285 masks 71.1 (at 208 pixels, means of three '
               'seeds)',
               _RESULTS('MSRC: what each kind of label is worth')),
    teacher=('60 masks and 225 images with tags: 69.5 mIoU, 65.8 with the masks alone (at 208 '
             'pixels, means of three seeds)', _RESULTS('MSRC: what each kind of label is worth')),
    started=("60 masks and 225 images with tags: 69.5 mIoU, 68.5 from the teacher's weights (at "
             '208 pixels, means of three seeds)',
             _RESULTS('MSRC: what each kind of label is worth')),
    ensemble=('60 masks and 225 images without a label: 68.1 mIoU, 65.8 with the masks alone (at '
              '208 pixels, means of three seeds)',
              _RESULTS('MSRC: what each kind of label is worth')),
    box=('285 boxed images, masks by Bbox-Seg: 68.3 mIoU, painted: 65.8',
         _RESULTS('MSRC: EM, and boxes as labels')),
    scribble=('285 images with scribbles: 64.0 mIoU', _RESULTS('MSRC: scribbles')),
    point=('not measured', 'docs/points_and_scribbles.md'),
    image=('285 images with tags: 54.4 mIoU', _RESULTS('MSRC: tags alone')),
    ratio=('dual branch with 4 strong and 4 weak images a step: 76.5 mIoU; mixed dual head with 6 '
           'and 2: worse', FIRST_TABLE),
    steps=('with 1,500 steps all curves are flat from step 1,000 or earlier on', FIRST_TABLE),
    scale=('photographs of 320x213 and crops of 224', FIRST_TABLE),
    seconds=('a step of configs/msrc took 1.5 to 2.0 s on one core',
             'docs/own_data.md, "On a CPU"'),
    efflite0=('all figures of docs/results.md are of this network', FIRST_TABLE),
    r50=('not measured here: the network of configs/wss, for VOC',
         'docs/papers.md'),
    memory=("mmseg's table of models: 7.6 GB for 4 crops of 512 x 512 of this network",
            "mmseg's configs/deeplabv3plus"),
    rare=('on drawn shapes: configs/quickstart/hard_shapes_rare.py',
          'docs/own_data.md, "A class stays at 0"'),
    judge=('two networks of 30 masks, judged on 30 others: tags raise their masks from 51.2 to '
           '73.9 mIoU, at tau 0.7 to 80.5 on the 92 % that are kept',
           _RESULTS("MSRC: what a label says of a network's masks")),
)
