"""Give one checkpoint to everything that loads checkpoints, and print what each says, as JSON.

``python walk_checkpoints.py CONFIG CHECKPOINT WORK_DIR``; a child process of a test, since tools
leave a trace in the process that they run in.
"""
import contextlib
import io
import json
import runpy
import shutil
import sys
from pathlib import Path

import mmseg
from tiny_run import NO_WORKERS, ROOT

MMSEG_TOOLS = Path(mmseg.__file__).parent / '.mim/tools'


def ways(config, checkpoint, work_dir):
    """Name -> script and its arguments."""
    tools = ROOT / 'tools'
    options = '--cfg-options', *NO_WORKERS, 'train_cfg.max_iters=1'
    resumable = work_dir / 'auto'
    resumable.mkdir()
    shutil.copy(checkpoint, resumable / 'iter_1.pth')
    (resumable / 'last_checkpoint').write_text(str(resumable / 'iter_1.pth'))
    train, test = ([config, '--work-dir', work_dir / name] for name in ('train', 'test'))
    auto = [config, '--work-dir', resumable]
    return {
        'test.py': (tools / 'test.py', [config, checkpoint, *test[1:], *options]),
        'test.py --ensemble': (tools / 'test.py', [
            config, checkpoint, *test[1:], '--ensemble', config, checkpoint, '0.5', *options]),
        'train.py --resume PATH': (tools / 'train.py', [*train, '--resume', checkpoint, *options]),
        'train.py --resume': (tools / 'train.py', [*auto, '--resume', *options]),
        'load_from': (tools / 'train.py', [*train, *options, f'load_from={checkpoint}']),
        'init_cfg': (tools / 'train.py', [
            *train, *options, 'model.backbone.init_cfg.type=Pretrained',
            f'model.backbone.init_cfg.checkpoint={checkpoint}']),
        'generate_pseudo_masks.py': (tools / 'generate_pseudo_masks.py', [
            config, checkpoint, '--out', work_dir / 'masks', *options]),
        'publish_strong.py': (tools / 'model_converters/publish_strong.py', [
            config, checkpoint, work_dir / 'strong.pth']),
        "mmseg's test.py": (MMSEG_TOOLS / 'test.py', [config, checkpoint, *test[1:], *options]),
        "mmseg's train.py --resume": (MMSEG_TOOLS / 'train.py', [*auto, '--resume', *options]),
    }


def said_by(script, arguments):
    """What it prints, or the error that ends it."""
    sys.argv = [str(script), *map(str, arguments)]
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        try:
            runpy.run_path(str(script), run_name='__main__')
            ended = 'nothing was wrong'
        except (Exception, SystemExit) as error:
            ended = f'{type(error).__name__}: {error}'
    return printed.getvalue() + ended


def main():
    config, checkpoint, work_dir = map(Path, sys.argv[1:])
    said = {name: said_by(*way) for name, way in ways(config, checkpoint, work_dir).items()}
    print(json.dumps(said))


if __name__ == '__main__':
    main()
