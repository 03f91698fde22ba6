"""`yiwang doctor`: what an operator at three in the morning wants to know first."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.utils import timezone

from yiwang.config.environment import ROOT
from yiwang.kernel.documents.render import NoChineseFont, families


def _finding(what: str, ok: bool, found: str, remedy: str = "") -> dict[str, Any]:
    return {"what": what, "ok": ok, "found": found, "remedy": remedy}


def examine() -> list[dict[str, Any]]:
    """Every check, each with what was found and, where it is wrong, the remedy."""
    findings = [_fonts(), _secrets(), _locks()]
    try:
        with connection.cursor() as cursor:
            findings += [
                _database(cursor),
                _role(cursor),
                _security(cursor),
                _calendar(cursor),
                _outbox(cursor),
                _publicity(cursor),
                _ledger(cursor),
                _long_locks(cursor),
            ]
    except DatabaseError as error:
        findings.append(
            _finding("数据库", False, str(error).splitlines()[0], "启动 yiwang up，或检查 DATABASE_URL")
        )
    return findings


def _fonts() -> dict[str, Any]:
    try:
        return _finding("中文字体", True, "、".join(families()))
    except NoChineseFont as error:
        return _finding("中文字体", False, "没有", str(error))


def _secrets() -> dict[str, Any]:
    env = settings.ENV
    weak = len(env.secret_key) < 40
    if env.demo:
        return _finding(
            "密钥", not weak, "演示模式：随机生成，保存在 var/keys", "删除 var/keys/secret_key 后重启"
        )
    lacking = [
        name
        for name, there in (
            ("YIWANG_SECRET_KEY（50 个以上随机字符）", not weak),
            ("YIWANG_SIGNING_P12（文书签名）", env.signing_p12),
            ("YIWANG_LEDGER_KEY（账本树头签名）", env.ledger_key),
        )
        if not there
    ]
    return _finding(
        "密钥", not lacking, f"缺 {len(lacking)} 项" if lacking else "已设置", f"设置 {'、'.join(lacking)}"
    )


def _locks() -> dict[str, Any]:
    missing = [n for n in ("requirements.lock", "ui/package-lock.json") if not (ROOT / n).exists()]
    return _finding("依赖锁", not missing, "齐全" if not missing else f"缺 {missing}", "从版本库恢复锁文件")


def _one(cursor, sql: str) -> Any:
    cursor.execute(sql)
    return cursor.fetchone()[0]


def _database(cursor) -> dict[str, Any]:
    return _finding("数据库", True, f"PostgreSQL {_one(cursor, 'show server_version')}")


def _role(cursor) -> dict[str, Any]:
    over = _one(cursor, "select rolsuper or rolbypassrls from pg_roles where rolname = current_user")
    name = _one(cursor, "select current_user")
    return _finding("应用角色", not over, name, "应用不能用超级用户或能绕过行级安全的角色连接")


def _security(cursor) -> dict[str, Any]:
    bare = _one(
        cursor,
        "select count(*) from pg_class where relname in ('cases_case','cases_token','cases_event','cases_draft',"
        "'files_storedfile','hub_delivery',"
        "'accounts_person','documents_issueddocument','notify_message') and not relrowsecurity",
    )
    return _finding("行级安全", bare == 0, f"{bare} 张表未启用" if bare else "已启用", "运行 yiwang migrate")


def _calendar(cursor) -> dict[str, Any]:
    cursor.execute(
        "select min(date) from calendar_calendarday where provisional and date >= %s", [timezone.localdate()]
    )
    (first,) = cursor.fetchone()
    days = (first - timezone.localdate()).days if first else None
    found = f"{first} 起是推定的工作日" if first else "都有国务院通知"
    # From December on, most deadlines cross into the next year.
    return _finding(
        "工作日历", days is None or days > 5, found, "国务院通知公布后运行 yiwang calendar import 文件.yaml"
    )


def _outbox(cursor) -> dict[str, Any]:
    stuck = _one(cursor, "select count(*) from events_outboxevent where attempts > 2")
    waiting = _one(cursor, "select count(*) from events_outboxevent")
    return _finding(
        "待发事件", stuck == 0, f"{waiting} 条待处理，{stuck} 条反复失败", "查看 events_outboxevent.error"
    )


def _publicity(cursor) -> dict[str, Any]:
    """Notices that other platforms have not been told of, although the address is set."""
    failing = _one(
        cursor, "select count(*) from publicity_notice where push_error <> '' and pushed_at is null"
    )
    return _finding(
        "公示推送",
        failing == 0,
        f"{failing} 条没有推送成功",
        "看 publicity_notice.push_error 和 YIWANG_PUBLICITY_URL",
    )


def _ledger(cursor) -> dict[str, Any]:
    """A head is signed hourly; two hours without one, while there are entries, mean that the worker is away."""
    cursor.execute(
        "select (select max(at) from ledger_head), (select coalesce(max(position) + 1, 0) from ledger_leaf),"
        " (select coalesce(max(size), 0) from ledger_head)"
    )
    at, leaves, covered = cursor.fetchone()
    late = leaves > covered and (at is None or timezone.now() - at > timedelta(hours=2))
    found = (
        f"{leaves} 条，最近的树头 {timezone.localtime(at):%m-%d %H:%M}" if at else f"{leaves} 条，还没有树头"
    )
    return _finding(
        "数据账本", not (late and at is not None), found, "看工作进程是否在运行、YIWANG_LEDGER_KEY 是否设置"
    )


def _long_locks(cursor) -> dict[str, Any]:
    held = _one(
        cursor,
        "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and now() - query_start > interval '30 s'",
    )
    return _finding("锁等待", held == 0, f"{held} 个会话等锁超过 30 秒", "查看 pg_stat_activity 与 pg_locks")
