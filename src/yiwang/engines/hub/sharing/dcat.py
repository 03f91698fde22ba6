"""The catalogue as DCAT-AP 3 in JSON-LD (W3C DCAT 3; vocabularies of the EU Publications Office). Pure.

A page and the thing it describes have addresses of their own (``…/penalties`` and ``…/penalties#dataset``), and what
is named says what it is, so that a reader needs no vocabulary beside the file.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from yiwang.engines.hub.contracts import Dataset
from yiwang.kernel.packs.contracts import Pack

from .contracts import Class

_EU = "http://publications.europa.eu/resource/authority/"
CONTEXT = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "dqv": "http://www.w3.org/ns/dqv#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
}
_RIGHTS = {Class.FREE: "PUBLIC", Class.ON_APPROVAL: "RESTRICTED", Class.CLOSED: "NON_PUBLIC"}
_OFTEN = (
    (1, "DAILY"), (7, "WEEKLY"), (16, "MONTHLY_2"), (31, "MONTHLY"), (62, "BIMONTHLY"), (92, "QUARTERLY"),
    (184, "ANNUAL_2"), (366, "ANNUAL"),
)  # fmt: skip


def frequency(days: int) -> str:
    """The EU frequency code of an update cycle in days; IRREG beyond a year."""
    return next((name for most, name in _OFTEN if days <= most), "IRREG")


def _text(text: str) -> dict[str, str]:
    return {"@value": text, "@language": "zh"}


def _id(address: str, kind: str = "") -> dict[str, Any]:
    """A node by its address; with a class, it says what it is."""
    return {"@id": address, "@type": kind} if kind else {"@id": address}


def _language() -> dict[str, Any]:
    return _id(f"{_EU}language/ZHO", "dct:LinguisticSystem")


def _moment(at: datetime) -> dict[str, str]:
    return {"@value": at.isoformat(timespec="seconds"), "@type": "xsd:dateTime"}


def _publisher(name: str, root: str) -> dict[str, Any]:
    return {"@id": f"{root}#{name}", "@type": "foaf:Agent", "foaf:name": _text(name)}


def _conditions(pack: Pack) -> str:
    told = pack.data["sharing"]
    return "：".join(t for t in (told["class"], told.get("conditions", "")) if t)


def dataset(
    contract: Dataset, pack: Pack, root: str, modified: datetime | None, score: float | None
) -> dict[str, Any]:
    """One dataset: what it is, who publishes it, how often, who may, how good, and how to get it.

    Args:
        root: address of the catalogue, ending in "/".
        modified: when it was last delivered. score: quality from 0 to 1.
    """
    here = f"{root}{contract.id}"
    told: dict[str, Any] = {
        "@id": f"{here}#dataset",
        "@type": "dcat:Dataset",
        "dct:identifier": contract.id,
        "dct:title": _text(contract.name),
        "dct:description": _text(contract.summary),
        "dct:publisher": _publisher(contract.department, root),
        "dcat:keyword": [_text(f.name) for f in contract.fields],
        "dcat:theme": [{**_id(f"{_EU}data-theme/GOVE", "skos:Concept"), "skos:prefLabel": _text("政府和公共部门")}],
        "dct:accessRights": _id(f"{_EU}access-right/{_RIGHTS[Class(contract.sharing)]}", "dct:RightsStatement"),
        "dct:accrualPeriodicity": _id(f"{_EU}frequency/{frequency(contract.cycle_days)}", "dct:Frequency"),
        "dct:language": _language(),
        "dcat:version": str(contract.version),
        "dct:provenance": {
            "@type": "dct:ProvenanceStatement",
            "rdfs:label": [_text(f"《{b['law']}》{b.get('article', '')}") for b in pack.data["basis"]],
        },
        "dct:conformsTo": {
            "@id": f"{here}/contract", "@type": "dct:Standard", "dct:title": _text(f"{contract.name}数据集合同")
        },
        "dcat:landingPage": _id(here, "foaf:Document"),
    }  # fmt: skip
    if modified is not None:
        told["dct:modified"] = _moment(modified)
    if score is not None:
        told["dqv:hasQualityMeasurement"] = {
            "@type": "dqv:QualityMeasurement",
            "dqv:isMeasurementOf": {"@id": f"{root}#quality", "@type": "dqv:Metric", "skos:prefLabel": _text("质量分")},
            "dqv:value": {"@value": f"{score:.4f}", "@type": "xsd:decimal"},
        }  # fmt: skip
    if contract.sharing != Class.CLOSED:
        told["dcat:distribution"] = [
            {
                "@id": f"{here}#api",
                "@type": "dcat:Distribution",
                "dct:title": _text(f"{contract.name}共享接口"),
                "dcat:accessURL": _id(here),
                "dcat:accessService": _id(f"{root}#service"),
                "dct:format": _id(f"{_EU}file-type/JSON", "dct:MediaTypeOrExtent"),
                "dcat:mediaType": _id(
                    "https://www.iana.org/assignments/media-types/application/json", "dct:MediaType"
                ),
                "dct:rights": {"@type": "dct:RightsStatement", "rdfs:label": _text(_conditions(pack))},
            }
        ]
    return told


def catalogue(
    title: str,
    summary: str,
    publisher: str,
    root: str,
    datasets: list[dict[str, Any]],
    endpoint: str,
    now: datetime,
) -> dict[str, Any]:
    """The whole catalogue with its service.

    Args:
        endpoint: address of the API through which grants are used; its description lies at ``openapi.json`` below.
        now: when it was made.
    """
    shared = [_id(d["@id"]) for d in datasets if "dcat:distribution" in d]
    return {
        "@context": CONTEXT,
        "@id": f"{root}#catalogue",
        "@type": "dcat:Catalog",
        "dct:title": _text(title),
        "dct:description": _text(summary),
        "dct:publisher": _publisher(publisher, root),
        "dct:language": _language(),
        "dct:modified": _moment(now),
        "foaf:homepage": _id(root, "foaf:Document"),
        "dcat:themeTaxonomy": {
            **_id(f"{_EU}data-theme", "skos:ConceptScheme"), "dct:title": {"@value": "Data theme", "@language": "en"}
        },
        "dcat:dataset": datasets,
        "dcat:service": {
            "@id": f"{root}#service",
            "@type": "dcat:DataService",
            "dct:title": _text("数据共享接口"),
            "dcat:endpointURL": _id(endpoint),
            "dcat:endpointDescription": _id(f"{endpoint}openapi.json"),
            "dcat:servesDataset": shared,
        },
    }  # fmt: skip
