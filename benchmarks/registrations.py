"""A province's registrations as a file, and the changes of a day, for `ingest` and `upload`."""

import shutil
from pathlib import Path

DATASET = "ent_registration"
ROW_BYTES = 244  # of a line, on average
SEED = 20230115
BROKEN = "91379901MA00,断在这".encode()  # the line that a broken connection leaves


def generate(first: Path, change: Path, rows: int, changes: int) -> dict[str, int]:
    """Both files, from arithmetic on the row's number: the same for the same sizes everywhere.

    Returns:
        How many rows of the first file are ``bad``, and how many ``repeated``.
    """
    import duckdb

    from yiwang.engines.hub.codes import CREDIT, CREDIT_WEIGHTS

    con = duckdb.connect()
    con.execute("set memory_limit = '1GB'")  # what it keeps would count as resident

    def letter(expression: str) -> str:
        return f"substr('{CREDIT}', ({expression}) % 31 + 1, 1)"

    places = [
        "370102",
        "370103",
        "370202",
        "370302",
        "370402",
        "370602",
        "370702",
        "371002",
        "371302",
        "371502",
    ]
    listed = "[" + ", ".join(f"'{p}'" for p in places) + "]"
    powers = ", ".join(letter(f"i // {31**k}") for k in range(4, -1, -1))
    total = " + ".join(f"{w} * (strpos('{CREDIT}', f[{n}]) - 1)" for n, w in enumerate(CREDIT_WEIGHTS, 1))
    # Of every 10,000 rows: a wrong check digit, a code list, a cross-field rule; and one row sent twice.
    every = 10_000

    def table(select: str, moved: str, to: Path) -> None:
        con.execute(
            f"""copy (with n as ({select}), f as (select i,
            concat('91379901', {powers}, {letter("i // 7")}, '00', '0') as f from n),
            c as (select i, f, ((31 - ({total}) % 31) % 31)::bigint as d from f)
            select concat(f, case when i % {every} = 17 then {letter("d + 1")} else {letter("d")} end)
              as "统一社会信用代码",
            concat('示例', (hash(i + {SEED}) % 1000000)::varchar, '号商贸有限公司{moved}') as "企业名称",
            '' as "曾用名", case when i % 9 = 0 then '9500' else '1100' end as "类型",
            case when i % {every} = 18 then '8' when i % 40 = 0 then '3' else '1' end as "登记状态",
            ((i * 7919) % 1000000 / 100.0)::decimal(12, 2) as "注册资本（万元）",
            case when i % 3 = 0 then 'H62' else 'F52' end as "行业代码", '日用百货销售；食品销售（示例）' as "经营范围",
            concat('示例市示例区泉城路', (i % 999)::varchar, '号', (i % 77)::varchar, '室') as "住所",
            ({listed})[i % 10 + 1] as "所在区划", concat('经营者', (i % 5000)::varchar) as "法定代表人姓名",
            concat('0531', lpad(((i * 31) % 100000000)::varchar, 8, '0')) as "联系电话",
            concat('示例', ({listed})[i % 10 + 1], '登记机关') as "登记机关",
            strftime(date '2000-01-01' + (i % 9000)::int, '%Y-%m-%d') as "成立日期",
            strftime(date '2000-01-01' + (case when i % {every} = 19 then -5 else i % 9000 + 100 end)::int, '%Y-%m-%d')
              as "核准日期",
            case when i % 40 = 0 then '2026-01-05' else '' end as "注销日期" from c)
            to '{to}' (format csv, header)"""
        )

    unique = rows - rows // every
    table(
        f"select i from range({unique}) t(i) union all select i from range({unique}) t(i) "
        f"where i % {every} = 20 and i < {rows // every} * {every} limit {rows}",
        "",
        first,
    )
    old, new = changes * 9 // 10, changes - changes * 9 // 10
    step = max(unique // max(old * 2, 1), 1)
    clean = f"i % {every} not in (17, 18, 19)"
    table(
        f"select * from (select i * {step} as i from range({unique // step}) t(i)) where {clean} limit {old}",
        "（变更）",
        change,
    )
    extra = change.with_suffix(".new")
    table(
        f"select * from (select i from range({unique}, {unique + new * 2}) t(i)) where {clean} limit {new}",
        "",
        extra,
    )
    with change.open("ab") as out, extra.open("rb") as stream:
        stream.readline()
        shutil.copyfileobj(stream, out)
    extra.unlink()
    counted = con.execute(
        f"select count(*) filter (where i % {every} in (17, 18, 19)), count(*) filter (where i % {every} = 20) "
        f"from range({unique}) t(i)"
    ).fetchone()
    con.close()
    sent = sum(1 for _ in first.open("rb")) - 1 if rows < 1_000_000 else rows
    return {"bad": counted[0], "repeated": sent - unique}
