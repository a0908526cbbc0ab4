"""The function of the pools is `eval`: it can be pickled, and fails in every way."""
import os
import time

import pytest

from mmseg_wss.utils.worker_pool import Failure, WorkerPool


@pytest.fixture(scope='module')
def pool():
    with WorkerPool(eval, 2) as pool:
        yield pool


def test_every_job_once_with_its_result(pool):
    jobs = [(f'{i} ** 2', ) for i in range(20)]
    results = dict(pool.run(jobs))
    assert results == {job: i ** 2 for i, job in enumerate(jobs)}
    assert list(pool.run([])) == []


def test_jobs_are_fetched_as_they_are_needed(pool):
    fetched = []
    results = pool.run((fetched.append(i), (f'{i}', ))[1] for i in range(100))
    next(results)
    assert len(fetched) <= 4  # one for each process, and one more for those that are through
    assert len(list(results)) == 99


def test_failures_are_one_line(pool):
    results = dict(pool.run([('int("a\\nb")', ), ('[][1]', ), ('__import__("no_such")', )]))
    assert results[('int("a\\nb")', )] == Failure(
        'ValueError', "invalid literal for int() with base 10: 'a\\nb'")
    kind, message = results[('[][1]', )]
    assert kind == 'IndexError' and message.startswith('IndexError: list index out of range (')
    assert results[('__import__("no_such")', )].kind == 'ModuleNotFoundError'


def test_a_killed_process_costs_its_job_alone(pool):
    kill = ('__import__("os").kill(__import__("os").getpid(), 9)', )
    jobs = [('0', ), kill, ('1', ), ('2', ), ('3', )]
    results = dict(pool.run(jobs))
    failure = results.pop(kill)
    assert failure.kind == ''
    assert 'died (exit code -9: it was killed). If memory ran out' in failure.message
    assert results == {('0', ): 0, ('1', ): 1, ('2', ): 2, ('3', ): 3}
    assert len({pid for _, pid in pool.run([('__import__("os").getpid()', )] * 30)}) <= 2


@pytest.mark.parametrize('how, words', [
    ('kill(__import__("os").getpid(), 9)', '-9: it was killed). If memory ran out'),
    ('kill(__import__("os").getpid(), 11)', '-11: SIGSEGV). A library crashed, as some do on a da'),
    ('kill(__import__("os").getpid(), 7)', '-7: SIGBUS). A library crashed'),
    ('kill(__import__("os").getpid(), 8)', '-8: SIGFPE). A library crashed'),
    ('kill(__import__("os").getpid(), 4)', '-4: SIGILL). A library crashed'),
    ('abort()', '-6: SIGABRT). A library crashed'), ('_exit(0)', '0). What it wrote to stderr'),
    ('_exit(1)', '1). What it wrote to stderr'), ('_exit(77)', '77). What it wrote to stderr')])
def test_the_death_of_a_process_is_named(pool, how, words):
    ((_, failure), ) = pool.run([(f'__import__("os").{how}', )])
    assert failure.kind == '' and f'the worker process died (exit code {words}' in failure.message


def test_one_thread_each(pool, monkeypatch):
    threads = ('__import__("cv2").getNumThreads()', )
    variable = ('__import__("os").environ["OMP_NUM_THREADS"]', )
    assert dict(pool.run([threads, variable])) == {threads: 1, variable: '1'}
    monkeypatch.delenv('OMP_NUM_THREADS', raising=False)
    with WorkerPool(eval, 1):
        assert 'OMP_NUM_THREADS' not in os.environ  # this process is left as it was


def test_closing_does_not_wait_for_jobs():
    begin = time.monotonic()
    with WorkerPool(eval, 2) as pool:
        results = pool.run([('0', ), ('__import__("time").sleep(600)', )])
        assert next(results)[1] == 0
    assert time.monotonic() - begin < 300


class Unloadable:
    def __reduce__(self):
        return int, ('not a number', )


def test_a_process_that_cannot_start():
    with pytest.raises(RuntimeError, match='ended while it started'):
        WorkerPool(Unloadable(), 1)
    with pytest.raises(ValueError, match='at least 1'):
        WorkerPool(eval, 0)
