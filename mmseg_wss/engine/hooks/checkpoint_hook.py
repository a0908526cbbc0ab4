"""Checkpoints that survive a kill, and from which a run goes on as if it had not stopped."""
import os.path as osp

import torch
from mmengine.dist import all_gather_object, get_rank, get_world_size, is_main_process
from mmengine.fileio import LocalBackend, get_file_backend, register_backend
from mmengine.hooks import CheckpointHook
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop

from mmseg_wss.engine.checkpoint_contents import open_sealed, seal
from mmseg_wss.engine.resumed_options import ResumedOptions
from mmseg_wss.registry import HOOKS
from mmseg_wss.utils.fileio import atomic_path, remove_temporaries
from mmseg_wss.utils.random_state import get_random_state, set_random_state


class _AtomicLocalBackend(LocalBackend):
    """mmengine's local files, with whole files only: see `atomic_path`."""

    def put(self, obj, filepath):
        with atomic_path(filepath) as temporary:
            super().put(obj, temporary)


register_backend('atomic_local', _AtomicLocalBackend, force=True)


def _sampler(dataloader):
    return getattr(dataloader.batch_sampler, 'sampler', dataloader.sampler)


def _skip_then_restore(batches, skip, state):
    """Yield all `batches`, and put `state` back when the first `skip` have been drawn."""
    for _ in range(skip):
        yield next(batches)
    set_random_state(state)
    yield from batches


def _validates_here(runner):
    """Whether the loop validates at the step that it stands at."""
    loop = runner.train_loop
    by_epoch = isinstance(loop, EpochBasedTrainLoop)
    if runner.val_loop is None or not (by_epoch or isinstance(loop, IterBasedTrainLoop)):
        return False
    if by_epoch and runner.iter != runner.epoch * len(runner.train_dataloader):
        return False  # in the middle of an epoch
    step, last = (loop.epoch, loop.max_epochs) if by_epoch else (loop.iter, loop.max_iters)
    loop._decide_current_val_interval()
    return step >= loop.val_begin and (step % loop.val_interval == 0 or step == last)


@HOOKS.register_module()
class ResumableCheckpointHook(CheckpointHook):
    """mmengine's CheckpointHook for runs that may be killed at any moment.

    - A local checkpoint gets its name when it is complete. Then ``last_checkpoint`` is renamed onto
      the old one, and only then an outdated checkpoint is deleted (of the best ones, too).
    - A checkpoint holds the random states of all ranks (key 'random_states'). A run that resumes
      from it, on as many ranks, goes on with the same random numbers and the same sampler order.
    - A run that resumes at a step with a validation validates first: a kill may have come between
      the checkpoint and the end of its validation, whose score and best checkpoint are then lost.
    - A checkpoint has tensors and plain values alone, and a checksum that is checked when it is
      loaded (`seal`).
    - A run deletes no checkpoint but its own: in its own folder, and not the one that it was
      loaded from.
    - A resumed run has the optimiser's options of its config, not of the checkpoint
      (`ResumedOptions`).
    - What a resumed run repeats or leaves out leaves no trace in the random states: validation,
      and the creation of data loader iterators.

    On CPU a resumed run has the same bits as one that was never stopped, if nothing in it depends
    on more than that: with worker processes the data set has to seed every sample by itself. In
    epoch loops checkpoints have to be saved by epoch. Remote backends, and the deprecated
    ``file_client_args``, keep mmengine's way of writing, with a warning.

    Args: those of mmengine's ``CheckpointHook``.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._generator = torch.Generator()
        self._loaded_states = None  # of all ranks, from the checkpoint that was loaded
        self._rank_states = None  # of all ranks, while a checkpoint is saved
        self._state_before_val = None
        self._loaded_from = None  # path of the checkpoint that was loaded
        self._options = None  # of this run, while the state of a checkpoint replaces them

    def after_load_checkpoint(self, runner, checkpoint):
        """Check it, and take the random states; `before_train` knows whether the run resumes."""
        self._loaded_from = runner._load_from
        open_sealed(checkpoint, runner._load_from or 'the checkpoint')
        self._loaded_states = checkpoint.get('random_states')
        self._options = ResumedOptions(runner)

    def before_train(self, runner):
        """Prepare the files, and restore the random states if the run resumes."""
        backend = get_file_backend(self.out_dir or runner.work_dir, backend_args=self.backend_args)
        atomic = self.file_client_args is None and isinstance(backend, LocalBackend)
        if atomic:
            self.backend_args = dict(backend='atomic_local')
        else:
            runner.logger.warning(
                'Checkpoints are not local files, or file_client_args is set: a kill during saving '
                'may leave a checkpoint that cannot be read.')
        super().before_train(runner)
        if is_main_process():
            for folder in {runner.work_dir, self.out_dir if atomic else runner.work_dir}:
                remove_temporaries(folder)

        # Creating an iterator draws the seed of its workers, by default from the global generator.
        if runner.train_dataloader.generator is None:
            runner.train_dataloader.generator = self._generator
        if runner.iter > 0 or runner.epoch > 0:
            self._restore(runner)
            self._keep_to_own_folder(runner)
            self._options.apply(runner)
            if _validates_here(runner):
                runner.val_loop.run()
        self._loaded_states = self._options = None

    def before_train_epoch(self, runner):
        """Make the worker seed of the epoch's iterator the same in a resumed run."""
        self._generator.manual_seed(runner.seed + runner.epoch * get_world_size() + get_rank())

    def before_val(self, runner):
        """Keep the random state that the next training step shall see."""
        self._state_before_val = get_random_state()

    def after_val(self, runner):
        """Put it back: a run that resumes from before this validation does not repeat it."""
        set_random_state(self._state_before_val)
        self._state_before_val = None

    def before_save_checkpoint(self, runner, checkpoint):
        """Write the random states in (not into the best checkpoints: nothing resumes there)."""
        if self._rank_states is not None:
            checkpoint['random_states'] = self._rank_states
        seal(checkpoint)

    def _restore(self, runner):
        states, world_size = self._loaded_states, get_world_size()
        if states is None or len(states) != world_size:
            saved = 'none' if states is None else f'those of {len(states)} process(es)'
            runner.logger.warning(
                f'The random states cannot be restored: this run has {world_size} process(es), the '
                f'checkpoint holds {saved}. The run goes on, with other random numbers.')
            return
        loop, dataloader = runner.train_loop, runner.train_dataloader
        if (isinstance(loop, EpochBasedTrainLoop)
                and runner.iter != runner.epoch * len(dataloader)):
            runner.logger.warning(
                'The checkpoint is from the middle of an epoch, which starts anew: the result will '
                'differ from an uninterrupted run. Save with by_epoch=True.')
        state = states[get_rank()]
        if state['sampler_seed'] is not None:
            # Without a seed in the config, mmengine built it with a new one before it resumed.
            _sampler(dataloader).seed = state['sampler_seed']
        set_random_state(state['random'])
        batches = getattr(loop, 'dataloader_iterator', None)
        if batches is not None and not hasattr(batches, 'skip_iter'):
            # This mmengine skips old batches by loading them, which draws random numbers.
            loop.dataloader_iterator = _skip_then_restore(batches, runner.iter, state['random'])

    def _keep_to_own_folder(self, runner):
        """Best checkpoints of the run that this one resumes: its own are those in its folder."""
        def own(path):
            if not path:
                return None
            beside = self.file_backend.join_path(self.out_dir, osp.basename(path))
            if self.file_backend.exists(beside):
                return beside
            runner.logger.info(f'The best checkpoint so far is not in {self.out_dir}; it stays '
                               f'where it is: {path}')
            return None
        if self.save_best is not None:
            if len(self.key_indicators) == 1:
                self.best_ckpt_path = own(self.best_ckpt_path)
            else:
                self.best_ckpt_path_dict = {
                    key: own(path) for key, path in self.best_ckpt_path_dict.items()}

    def _remove(self, path):
        if self._loaded_from and osp.realpath(path) == osp.realpath(self._loaded_from):
            return
        if self.file_backend.isfile(path):
            self.file_backend.remove(path)
        elif self.file_backend.isdir(path):
            self.file_backend.rmtree(path)

    def _save_checkpoint_with_step(self, runner, step, meta):
        """Save, point ``last_checkpoint`` at it, delete what is outdated: in this order."""
        outdated = []
        if self.max_keep_ckpts > 0 and (not self.keep_ckpt_ids or self.keep_ckpt_ids[-1] != step):
            if len(self.keep_ckpt_ids) == self.max_keep_ckpts:
                outdated.append(self.keep_ckpt_ids.popleft())
            self.keep_ckpt_ids.append(step)
            # With the outdated one: after a kill before its removal, the resumed run removes it.
            runner.message_hub.update_info('keep_ckpt_ids', outdated + list(self.keep_ckpt_ids))

        name = self.filename_tmpl.format(step)
        self.last_ckpt = self.file_backend.join_path(self.out_dir, name)
        runner.message_hub.update_info('last_ckpt', self.last_ckpt)
        self._rank_states = all_gather_object(dict(
            random=self._state_before_val or get_random_state(),
            sampler_seed=getattr(_sampler(runner.train_dataloader), 'seed', None)))
        runner.save_checkpoint(
            self.out_dir, name, self.file_client_args, save_optimizer=self.save_optimizer,
            save_param_scheduler=self.save_param_scheduler, meta=meta, by_epoch=self.by_epoch,
            backend_args=self.backend_args, **self.args)
        self._rank_states = None
        if not is_main_process():
            return
        pointer = osp.join(runner.work_dir, 'last_checkpoint')
        with atomic_path(pointer) as temporary:
            temporary.write_text(self.last_ckpt)
        for old in outdated:
            self._remove(self.file_backend.join_path(self.out_dir, self.filename_tmpl.format(old)))

    def _save_best_checkpoint(self, runner, metrics):
        """Delete the previous best checkpoint only when the new one is on disk."""
        if not self.save_best:
            return
        if len(self.key_indicators) == 1:
            best, keys = vars(self), ['best_ckpt_path']
        else:
            best, keys = self.best_ckpt_path_dict, self.key_indicators
        previous = {key: best[key] for key in keys}
        best.update(dict.fromkeys(keys))  # mmengine deletes first, but only what it finds here
        super()._save_best_checkpoint(runner, metrics)
        for key, path in previous.items():
            if best[key] is None:
                best[key] = path
            elif path and path != best[key] and is_main_process():
                self._remove(path)
