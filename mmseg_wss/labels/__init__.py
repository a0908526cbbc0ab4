"""What annotation files say: kinds of labels, their files, their faults.

Nothing here imports torch, mmengine or mmseg, so a tool that only moves files starts at once and a
worker process stays small.
"""
