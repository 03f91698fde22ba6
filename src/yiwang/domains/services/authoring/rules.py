"""What may be proposed from the browser, and by whom. Pure."""

import re

AUTHOR, PUBLISHER = "author", "publisher"  # roles of posts
KINDS = ("service_item", "bundle")
MOST_BYTES = 200_000
_PATH = re.compile(
    r"shandong/(services|bundles)/[a-z][a-z0-9_.]*\.yaml|[a-z]+/(services|bundles)/[a-z][a-z0-9_.]*\.yaml"
)


def path_of(kind: str, ref: str, folder: str) -> str:
    """The file of a pack: ``shandong/services/yb.remote_care.yaml``."""
    return f"{folder}/{'bundles' if kind == 'bundle' else 'services'}/{ref}.yaml"


def allowed(path: str) -> bool:
    """Whether a path is one that the browser may write: a service or a bundle, nowhere else."""
    return bool(_PATH.fullmatch(path)) and ".." not in path
