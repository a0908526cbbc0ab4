"""Share out the making of masks among processes."""
from mmseg_wss.utils.progress import track
from mmseg_wss.utils.worker_pool import Failure, WorkerPool


def make_masks(function, jobs, total, workers):
    """Call a function that makes and writes a mask on every job, in several processes.

    Args:
        function (Callable): such as `MakeSemanticMask`; it and its results are pickled.
        jobs (Iterable[tuple]): arguments of its calls, the name of the mask first. A job is fetched
            when a process is free, so a generator never runs ahead.
        total (int): number of jobs.
        workers (int): processes.

    Returns:
        tuple: results, dict of name -> what the function returned; failures, dict of name -> what
        went wrong, str.

    Raises:
        ImportError: a library is missing.
        OSError: the disk is full.
    """
    results, failures = {}, {}
    if not total:
        return results, failures
    with WorkerPool(function, min(workers, total), preload=[type(function).__module__]) as pool:
        for (name, *_), result in track(pool.run(jobs), 'Making masks', total=total):
            if not isinstance(result, Failure):
                results[name] = result
            elif result.kind == 'DiskFullError':  # it would fail every image from here on
                raise OSError(result.message)
            elif result.kind in ('ImportError', 'ModuleNotFoundError'):  # of no image's making
                raise ImportError(result.message)
            else:
                failures[name] = result.message
    return results, failures
