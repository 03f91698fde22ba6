"""Pages for those who report data, those who look after it, and those who use another department's."""

from .catalogue import catalogue, entry, indicator, jsonld, origin
from .deliveries import bad_rows, delivery, raw
from .overview import dataset, overview, record
from .sharing import ask, mine, report, share_grant, share_request
from .upload import begin, piece, upload

__all__ = [
    "ask", "bad_rows", "begin", "catalogue", "dataset", "delivery", "entry", "indicator", "jsonld", "mine", "origin",
    "overview", "piece", "raw", "record", "report", "share_grant", "share_request", "upload",
]  # fmt: skip
