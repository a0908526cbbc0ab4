"""Tasks in threads: all are done once, whoever starts them."""
import multiprocessing
import threading
import time

import pytest
import torch

from mmseg_wss.ops.threads import run_in_threads


@pytest.fixture(autouse=True)
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def do(number, wait=0.):
    """Which tasks were done, and by how many threads."""
    done, threads = [], set()

    def task(i):
        time.sleep(wait)
        done.append(i)
        threads.add(threading.get_ident())

    run_in_threads([lambda i=i: task(i) for i in range(number)])
    return sorted(done), len(threads)


@pytest.mark.parametrize('number', [0, 1, 2, 17])
def test_every_task_is_done_once(number):
    assert do(number)[0] == list(range(number))


def test_as_many_threads_as_torch_has():
    assert do(20, 0.01) == (list(range(20)), 2)
    torch.set_num_threads(1)
    assert do(20) == (list(range(20)), 1)


def test_a_task_may_have_tasks():
    done = []
    run_in_threads([lambda: done.append(do(5, 0.001)[0]) for _ in range(4)])
    assert done == [list(range(5))] * 4


def test_several_threads_may_have_tasks_at_a_time():
    results = [None] * 4

    def work(i):
        results[i] = [do(6)[0] for _ in range(20)]

    threads = [threading.Thread(target=work, args=(i, )) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert results == [[list(range(6))] * 20] * 4


@pytest.mark.parametrize('where', [0, 5])
def test_an_error_comes_out_and_the_next_call_works(where):
    def fail():
        raise KeyError('task')

    tasks = [lambda: time.sleep(0.005)] * 6
    tasks[where] = fail
    with pytest.raises(KeyError, match='task'):
        run_in_threads(tasks)
    assert do(3)[0] == [0, 1, 2]


def _in_child(connection):
    connection.send(do(8, 0.005))


@pytest.mark.skipif('fork' not in multiprocessing.get_all_start_methods(), reason='no fork here')
@pytest.mark.filterwarnings('ignore:.*fork.*:DeprecationWarning')
def test_a_forked_process_has_threads_of_its_own():
    do(4)  # the threads of this process exist
    context = multiprocessing.get_context('fork')
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_in_child, args=(sender, ))
    process.start()
    try:
        assert receiver.poll(60), 'the child hangs'
        assert receiver.recv() == (list(range(8)), 2)
    finally:
        process.kill()
        process.join()
