"""What the planner knows of the tools: how each is called, and what its result depends on."""
from typing import NamedTuple


class ToolKind(NamedTuple):
    """A tool; the defaults are those of a tool that is not in `TOOL_KINDS`."""
    out: tuple = ('--out', )  # the options that take the stage's folder
    fixed: tuple = ()  # further arguments
    takes_workers: bool = False  # --workers
    several: str = None  # the script that starts it as several processes
    split: str = None  # 'train' or 'test': the lists of the config that its result depends on
    # of the weak images of its config; started again, it makes those anew whose boxes have changed
    makes_masks: bool = False
    needs_network: bool = True  # else its result depends on the weak sources of the config alone
    folders: tuple = ()  # options that name folders which are there before the pipeline starts


TOOL_KINDS = {
    'generate_proposals.py': ToolKind(
        # the shard: SLURM_NTASKS of a batch job counts other processes
        fixed=('--shard', '0/1'), takes_workers=True, makes_masks=True, needs_network=False),
    'judge_masks.py': ToolKind(split='train'),
    'train.py': ToolKind(
        out=('--work-dir', ), fixed=('--resume', 'auto'), several='dist_train.sh', split='train'),
    'generate_pseudo_masks.py': ToolKind(
        out=('--out', '--work-dir'), several='dist_generate_pseudo_masks.sh', makes_masks=True),
    'predict.py': ToolKind(
        out=('--out', '--work-dir'), takes_workers=True, several='dist_predict.sh'),
    'test.py': ToolKind(out=('--work-dir', ), split='test'),
    'analysis_tools/mask_report.py': ToolKind(folders=('truth', )),
}
