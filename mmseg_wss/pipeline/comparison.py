"""Trainings that are compared: each is trained once, and has a line in one file of results."""
import os
import os.path as osp
import sys
from contextlib import closing
from dataclasses import dataclass

from mmseg_wss.engine.run_settings import settings_of_starts
from mmseg_wss.engine.side_by_side import Command, run_side_by_side
from mmseg_wss.errors import ConfigError, abridged
from mmseg_wss.evaluation.run_results import append_result, read_results, run_result
from mmseg_wss.pipeline.stage import changes


@dataclass(frozen=True)
class Comparison:
    """The folders of a comparison, and what is known of its runs (`SeededRun`)."""
    work_dirs: str  # each run has a folder in it
    results: str  # path of the file of results
    metric: str = 'mIoU'  # what each validation has

    def folder(self, run):
        """The work dir of a run."""
        return osp.join(self.work_dirs, run.folder)

    def known(self, run):
        """What there is of a run.

        Returns:
            dict or None: its line of results, with 'finished' True; or what its work dir says
            (`run_result`), with 'finished' False; None where it has no validation yet. A finished
            run that has no line gets one.

        Raises:
            ConfigError: the run of this name and seed had another config.
        """
        line = self._line(run)
        if line is not None:
            return dict(line, finished=True)
        self._check_starts(run)
        return self._result(run)

    def train(self, runs, script, at_a_time=1):
        """Train what is not finished, or go on with it.

        Args:
            runs (Sequence[SeededRun]): in this order.
            script (str): path of tools/train.py.
            at_a_time (int): of several, each shares the cores with the others, unless
                OMP_NUM_THREADS is set; what it prints goes into WORK_DIR/output.txt.

        Raises:
            ConfigError: a training failed. Those that ran beside it were trained to their ends.
        """
        environment = dict(os.environ)
        if at_a_time > 1:
            environment.setdefault('OMP_NUM_THREADS', str(max(1, os.cpu_count() // at_a_time)))
        waiting = {run.folder: run for run in runs}
        failed, resumed = [], set()

        def commands():
            for number, (name, run) in enumerate(waiting.items(), 1):
                if failed:
                    return
                known = self.known(run)  # looked up late: another process may have trained it
                if known and known['finished']:
                    continue
                if settings_of_starts(self.folder(run)):
                    resumed.add(name)
                output = osp.join(self.folder(run), 'output.txt') if at_a_time > 1 else None
                print(f'[{number}/{len(runs)}] {name}: training'
                      + (f', output in {output}' if output else ''), flush=True)
                yield Command(name, [
                    sys.executable, script, run.config, '--work-dir', self.folder(run), '--resume',
                    'auto', *(['--cfg-options', *run.options] if run.options else [])], output)

        with closing(run_side_by_side(commands(), at_a_time, environment)) as all_ended:
            for name, code, seconds, megabytes in all_ended:
                run = waiting[name]
                if code:
                    failed.append(f'{run.config}: the training failed (exit code {code}); its log '
                                  f'is in {self.folder(run)}.')
                else:
                    self._result(run, None if name in resumed else seconds, megabytes)
        if failed:
            raise ConfigError('\n'.join([*failed, 'Mend the cause and start again.']))

    def _line(self, run):
        lines, about = read_results(self.results), run.describe()
        for line in lines:
            if line['digest'] == run.digest:
                return line
        if any((line['name'], line.get('seed')) == (run.name, about['seed']) for line in lines):
            raise ConfigError(
                f'{self.results}: the line of {run.name}, seed {about["seed"]}, was made with '
                f'another config than {run.config} with these options is now. Remove the line and '
                f'{self.folder(run)} to train again, or name another --out and --work-dirs.')
        return None

    def _check_starts(self, run):
        for path, settings in settings_of_starts(self.folder(run)).items():
            now = {'load_from': None, **run.settings}
            # a resumed start does not say what the first one loaded
            differing = changes({'load_from': now['load_from'], **settings}, now)
            if differing:
                raise ConfigError(
                    f'{path}: this training had another config than {run.config} with these '
                    f'options is now: {abridged(differing, 5)}. Delete {self.folder(run)} to train '
                    'again, or name another --work-dirs.')

    def _result(self, run, seconds=None, megabytes=None):
        """What the work dir says; a finished run gets a line, with what was measured."""
        result = run_result(self.folder(run), self.metric)
        if result is None:
            return None
        if run.steps not in result['curve']:
            return dict(result, finished=False)
        memory = result['memory_mb'] or megabytes
        curve = result.pop('curve')  # it comes last: it is long
        line = dict(run.describe(), **result)
        line.update(memory_mb=memory and round(memory), wall_seconds=seconds and round(seconds, 1),
                    curve=curve)
        append_result(self.results, line)
        return dict(line, finished=True)
