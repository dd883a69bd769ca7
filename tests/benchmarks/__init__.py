"""What the library costs: training speed, loading of checkpoints, memory of the notebooks. See README.md beside this.

Run as ``python -m tests.benchmarks`` from the root of the project, or ``make bench``. Nothing here is a test.
"""
