"""Tasks of ``calib compute``: a plain document in, a plain document out."""

from calib.evaluation.tasks.dispatch import KINDS, compute, compute_many, load

__all__ = ["KINDS", "compute", "compute_many", "load"]
