"""Tables of the services domain."""

from .authoring.models import Proposal
from .catalogue.models import CatalogueChange, CatalogueImport, CatalogueItem

__all__ = ["CatalogueChange", "CatalogueImport", "CatalogueItem", "Proposal"]
