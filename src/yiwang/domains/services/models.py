"""Tables of the services domain."""

from .catalogue.models import CatalogueChange, CatalogueImport, CatalogueItem

__all__ = ["CatalogueChange", "CatalogueImport", "CatalogueItem"]
