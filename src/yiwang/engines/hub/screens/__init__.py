"""Pages for those who report data and those who look after it."""

from .deliveries import bad_rows, delivery, raw
from .overview import dataset, overview, record
from .upload import begin, piece, upload

__all__ = ["bad_rows", "begin", "dataset", "delivery", "overview", "piece", "raw", "record", "upload"]
