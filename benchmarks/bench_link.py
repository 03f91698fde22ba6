"""Linking complaints without a code to a register of five million: how many are right, how many are found, how long.

The register and the complaints are invented (companies.py): areas dropped, characters heard wrong, industries
cut, branches, wrong telephones, other house numbers; 12 % of those complained about are not in the register.
``index`` prepares the register's names, which the product keeps between runs; it counts here all the same.
Splink (unsupervised) and plain fuzzy matching of names work on a sample of the same, beside it.
Bars: precision ≥ .998 at recall ≥ .95, ≤ 90 s, ≤ 9 GB resident.
"""

import csv
import resource
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import companies
import duckdb
import numpy as np
import pyarrow as pa
from machine import machine, sizes

from yiwang.engines.hub.linking.linker import Linker
from yiwang.engines.hub.linking.names import Vocabulary, vocabulary

ROOT = Path(__file__).resolve().parents[1]


def words() -> Vocabulary:
    """Areas of the province's divisions, forms and branches of the packs."""
    from yiwang.kernel.packs.loader import read

    library, _problems = read(ROOT / "packs")
    parts = library.get("name_parts", "enterprises").data
    with (ROOT / "packs/shandong/regions/divisions.csv").open(encoding="utf-8-sig") as file:
        regions = [r["name"] for r in csv.DictReader(file) if r["level"] in ("province", "city", "county")]
    return vocabulary(regions, parts["forms"], parts["branches"])


def run(options: list[str]) -> dict:
    """Measure and compare with the bars."""
    chosen = sizes(options, entities=5_000_000, records=200_000, labelled=30_000, sample=5_000, others=1)
    world = companies.make(chosen["entities"])
    register = companies.register(world)
    asked = companies.records(world, chosen["records"], 12)
    labelled = companies.records(world, chosen["labelled"], 11)
    db = duckdb.connect()
    db.execute("set threads = 2; set memory_limit = '5GB'")
    _table(db, "source", register)
    _table(db, "asked", asked.drop(["truth"]))
    _table(db, "coded", _coded(labelled, world))
    del register
    linker = Linker(db, words())
    began, cpu = time.perf_counter(), time.process_time()
    linker.index("source")
    linker.learn("coded")
    links = linker.link("asked")
    took, cpu = time.perf_counter() - began, time.process_time() - cpu
    truth = asked["truth"].to_numpy()
    right = truth[links.key] == links.id
    there = int(world.kept[truth].sum())
    found = int((right & links.accepted).sum())
    precision, recall = found / max(int(links.accepted.sum()), 1), found / there
    name_only = _by_name_alone(db, links)
    figures = {
        "register": db.execute("select count(*) from source").fetchall()[0][0],
        "not_in_register": chosen["records"] - there,
        "accepted": int(links.accepted.sum()),
        "review": int((~links.accepted & (links.score >= linker.model.review)).sum()),
        "precision": round(precision, 5),
        "recall": round(recall, 4),
        "proposed": round(int(right.sum()) / there, 4),
        "accepted_by_name_alone": name_only,
        "seconds": round(took, 1),
        "cpu_seconds": round(cpu, 1),
        "stages": linker.seconds,
        "peak_gib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2),
    }
    if chosen["others"]:
        figures["beside_it"] = _beside(db, world, asked, chosen["sample"])
    bars = {
        "precision": (figures["precision"], 0.998, precision >= 0.998),
        "recall": (figures["recall"], 0.95, recall >= 0.95),
        "seconds": (figures["seconds"], 90, took <= 90),
        "peak_gib": (figures["peak_gib"], 9, figures["peak_gib"] <= 9),
    }
    return {
        "bench": "link",
        "machine": machine(),
        "sizes": chosen,
        "figures": figures,
        "bars": {name: {"figure": f, "bar": b, "holds": h} for name, (f, b, h) in bars.items()},
    }


def _table(db, name: str, table: pa.Table) -> None:
    db.register("arriving", table)
    db.execute(f"create table {name} as select * from arriving")
    db.unregister("arriving")


def _coded(labelled: pa.Table, world) -> pa.Table:
    """Records that carry a code; one of an enterprise that is not in the register says "none"."""
    truth = labelled["truth"].to_numpy()
    known = pa.array(truth, mask=~world.kept[truth])
    return labelled.set_column(labelled.column_names.index("truth"), "truth", known)


def _by_name_alone(db, links) -> int:
    """Accepted links in which neither a number nor a place agrees: the product sends these to a person."""
    _table(db, "made", pa.table({"key": links.key[links.accepted], "id": links.id[links.accepted]}))
    return db.execute(
        "select count(*) from made m join compared c using (key, id)"
        " where coalesce(c.phone, 0) = 0 and coalesce(c.licence, 0) = 0 and coalesce(c.number, 0) = 0"
    ).fetchall()[0][0]


def _beside(db, world, asked: pa.Table, sample: int) -> dict:
    """Others on the first records: names alone with rapidfuzz, Splink without labels."""
    part = asked.slice(0, sample)
    truth = part["truth"].to_numpy()
    there = int(world.kept[truth].sum())
    return {
        "sample": sample,
        "fuzzy": _fuzzy(db, part, truth, there),
        "splink": _splink(db, part, truth, there),
    }


def _fuzzy(db, part: pa.Table, truth: np.ndarray, there: int) -> dict:
    """rapidfuzz.ratio of the whole name among enterprises of the same county that begin alike."""
    from rapidfuzz import fuzz

    began = time.perf_counter()
    _table(db, "few", part.drop(["truth"]))
    pairs = db.execute(
        "select f.key, s.id, f.name, s.name as other from few f join source s on s.region = f.region"
        " and contains(s.name, f.name[-2:]) or s.region = f.region and contains(s.name, f.name[:2])"
    )
    best: dict[int, tuple[float, int]] = {}
    while rows := pairs.fetchmany(50_000):
        for key, entity, name, other in rows:
            score = fuzz.ratio(name, other)
            if score > best.get(key, (0.0, -1))[0]:
                best[key] = (score, entity)
    figures = {"seconds": round(time.perf_counter() - began, 1)}
    for least in (60, 85):
        accepted = [(k, i) for k, (s, i) in best.items() if s >= least]
        right = sum(truth[k] == i for k, i in accepted)
        figures[f"at_{least}"] = {
            "precision": round(right / max(len(accepted), 1), 4),
            "recall": round(right / there, 4),
        }
    return figures


def _splink(db, part: pa.Table, truth: np.ndarray, there: int) -> dict:
    """Splink 5 on the same prepared columns, expectation maximisation without labels."""
    try:
        import splink.comparison_library as cl
        from splink import DuckDBAPI, Linker, SettingsCreator, block_on
    except ImportError as missing:
        return {"skipped": str(missing)}
    began = time.perf_counter()
    con = duckdb.connect()
    con.execute("set threads = 2; set memory_limit = '5GB'")
    columns = "plain, core, brand, heard, region, city, road, number, phone"
    keys = part["key"].to_numpy()
    records = db.execute(
        f"select key as unique_id, {columns} from records where key <= {int(keys[-1])}"
    ).to_arrow_table()
    register = db.execute(f"select id as unique_id, {columns} from register").to_arrow_table()
    nothing = "nullif(nullif(road, ''), '') as road, nullif(number, '') as number, nullif(phone, '') as phone"
    for name, table in (("asked", records), ("there", register)):
        con.register("arriving", table)
        con.execute(f"create table {name} as select * exclude (road, number, phone), {nothing} from arriving")
        con.unregister("arriving")
    api = DuckDBAPI(connection=con)
    settings = SettingsCreator(
        link_type="link_only",
        comparisons=[
            cl.JaroWinklerAtThresholds("core", [0.95, 0.88]),
            cl.JaroWinklerAtThresholds("heard", [0.95, 0.88]),
            cl.ExactMatch("region"),
            cl.ExactMatch("road"),
            cl.ExactMatch("number"),
            cl.ExactMatch("phone"),
        ],
        blocking_rules_to_generate_predictions=[
            block_on("heard"),
            block_on("phone"),
            block_on("brand", "region"),
            block_on("region", "road", "number"),
        ],
    )
    linker = Linker([api.register(name, dataset_display_name=name) for name in ("asked", "there")], settings)
    linker.training.estimate_u_using_random_sampling(max_pairs=1_000_000)
    linker.training.estimate_parameters_using_expectation_maximisation(block_on("region", "road", "number"))
    linker.training.estimate_parameters_using_expectation_maximisation(block_on("heard"))
    predicted = linker.inference.predict(threshold_match_probability=0.5)
    con.register("found", predicted.as_duckdbpyrelation())
    rows = con.sql(
        "select case when source_dataset_l = 'asked' then unique_id_l else unique_id_r end as key,"
        " case when source_dataset_l = 'asked' then unique_id_r else unique_id_l end as id,"
        " match_probability as p from found qualify row_number() over (partition by key order by p desc) = 1"
    ).fetchall()
    figures: dict = {"seconds": round(time.perf_counter() - began, 1)}
    for least in (0.5, 0.999):
        accepted = [(k, i) for k, i, p in rows if p >= least]
        right = sum(truth[k] == i for k, i in accepted)
        figures[f"at_{least}"] = {
            "precision": round(right / max(len(accepted), 1), 4),
            "recall": round(right / there, 4),
        }
    return figures
