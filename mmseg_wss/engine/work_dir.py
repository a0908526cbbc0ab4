"""The folder of a run: what is in it, by name."""
from pathlib import Path

from mmseg_wss.errors import DataError


def latest_checkpoint(work_dir):
    """The checkpoint that a run in this folder would resume from.

    ``last_checkpoint`` has the path at the time of writing; where a file of that name lies beside
    it, that one counts, so that a work dir can be renamed, moved and copied.

    Args:
        work_dir (str | Path): may be missing.

    Returns:
        str or None: None where there is none yet.

    Raises:
        DataError: the file that it names is gone.
    """
    pointer = Path(work_dir, 'last_checkpoint')
    if not pointer.is_file():
        return None
    saved = Path(pointer.read_text().strip())
    for path in pointer.parent / saved.name, saved:
        if path.is_file():
            return str(path)
    raise DataError(f'{pointer}: it names {saved.name or "no file"}, which is neither beside it '
                    f'nor at {saved}. Name a checkpoint (--resume CHECKPOINT), or start in another '
                    'work dir.')
