"""Deliveries of datasets: `yiwang collect`, `hub load`, `hub pull`."""

import sys
from pathlib import Path

from .common import Groups, add, django_ready, group, show


def _collect(args) -> int:
    django_ready()
    from yiwang.engines.hub.collect import run_forever, work_once

    if args.once:
        while work_once():
            pass
    else:
        run_forever()
    return 0


def _hub_load(args) -> int:
    """Take files in as the system; the collector loads them."""
    from datetime import datetime

    django_ready()
    from django.utils import timezone

    from yiwang.engines.hub import api as hub
    from yiwang.kernel.access.contracts import SYSTEM, Refused
    from yiwang.kernel.access.session import acting
    from yiwang.kernel.packs.contracts import UnknownPack

    try:
        as_of = datetime.fromisoformat(args.as_of) if args.as_of else timezone.now()
        as_of = as_of if timezone.is_aware(as_of) else timezone.make_aware(as_of)
        with acting(SYSTEM):
            file = Path(args.file)
            found = hub.by_system(
                args.dataset, file.name, file, as_of, hub.Mode(args.mode) if args.mode else None
            )
    except (Refused, UnknownPack, OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    told = {"delivery": str(found.uid), "seq": found.seq, "dataset": found.dataset}
    show(told if args.json else f"已收下，第 {found.seq} 批；归集进程会接着装载", args.json)
    return 0


def _hub_pull(args) -> int:
    django_ready()
    from yiwang.engines.hub import datasets, pulling
    from yiwang.kernel.packs.contracts import UnknownPack

    try:
        came = pulling.pull(datasets.current(args.dataset))
    except (UnknownPack, OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"取来 {came} 批")
    return 0


def commands(to: Groups) -> None:
    collect = add(to, "collect", _collect, "run one collector: it loads deliveries, pulls and reminds")
    collect.add_argument("--once", action="store_true", help="load what waits, then end")
    hub = group(to, "hub", "deliveries of datasets")
    bring = add(hub, "load", _hub_load, "take a file in, as the system", True)
    bring.add_argument("dataset", help="id of a dataset pack, such as ent_registration")
    bring.add_argument("file", help="CSV, xlsx or JSON of any size")
    bring.add_argument("--as-of", default="", help="the moment up to which it is true, ISO; default: now")
    bring.add_argument("--mode", choices=["change", "full"], help="default: as the contract says")
    add(hub, "pull", _hub_pull, "fetch what is new of a dataset now").add_argument("dataset")
