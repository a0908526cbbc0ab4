"""One thread in each process: two processes of tests share two cores, and many start more."""
import os

os.environ.setdefault('OMP_NUM_THREADS', '1')  # read when torch is imported, thus here
