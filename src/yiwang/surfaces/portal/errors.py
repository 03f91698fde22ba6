"""What a person sees when something is missing or broken. Nothing typed is lost."""

import sys

from django.db import DatabaseError, InterfaceError, OperationalError
from django.http import HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.translation import gettext as _

from yiwang.kernel.access.contracts import Refused
from yiwang.kernel.access.limits import TooMany
from yiwang.kernel.access.middleware import API
from yiwang.surfaces.api import answers


def not_found(request, exception):
    """404."""
    if request.path.startswith(API):
        return answers.not_found()
    return render(
        request,
        "portal/message.html",
        {"title": _("没有找到这个页面"), "text": _("地址可能写错了，或者内容不属于您。可以从首页重新查找。")},
        status=404,
    )


def forbidden(request, exception):
    """403."""
    refused = isinstance(exception.__cause__, Refused)
    text = str(exception) if refused else _("您没有查看这里的权限。")
    if isinstance(exception, TooMany):
        return _too_many(request, exception)
    if request.path.startswith(API):
        return answers.error(403, "refused", text)
    return render(request, "portal/message.html", {"title": _("不能查看"), "text": text}, status=403)


def _too_many(request, refused):
    """429, on a page or for a program; the transaction that counted is gone already."""
    headers = {"Retry-After": str(refused.seconds)}
    if request.path.startswith(API):
        return answers.error(429, "too-many", str(refused), **headers)
    page = {"title": _("请稍等"), "text": str(refused) + _("已经填写的内容没有丢，返回上一页即可再次提交。")}
    response = render(request, "portal/message.html", page, status=429)
    response["Retry-After"] = headers["Retry-After"]
    return response


def csrf_failure(request, reason=""):
    """A form whose security mark is missing or old."""
    return render(
        request,
        "portal/message.html",
        {
            "title": _("页面已过期"),
            "text": _("为了安全，这个页面需要重新打开。已保存的内容都在，请返回上一页重新提交。"),
        },
        status=403,
    )


def broken(request):
    """500, or 503 with what was typed kept in the page while the database is away."""
    error = sys.exc_info()[1]
    if request.path.startswith(API):
        return _broken_api(error)
    if isinstance(error, OperationalError | InterfaceError) or _lost_connection(error):
        return unavailable(request)
    return HttpResponse(
        format_html(
            "<!doctype html><html lang=zh-hans><meta charset=utf-8><title>{0}</title><h1>{0}</h1><p>{1}</p>"
            '<p><a href="/">{2}</a></p></html>',
            _("系统出错了"),
            _("刚才的操作没有完成，也没有改变任何数据。请稍后再试；一直不行请拨打 12345。"),
            _("回首页"),
        ),
        status=500,
    )


def _broken_api(error):
    if isinstance(error, OperationalError | InterfaceError) or _lost_connection(error):
        text = _("数据库暂时连不上，请稍后用同一个 command_id 再试一次。")
        return answers.error(503, "unavailable", text, **{"Retry-After": "10"})
    text = _("系统出错了，没有改变任何数据。可以用同一个 command_id 再试一次。")
    return answers.error(500, "broken", text)


def _lost_connection(error) -> bool:
    return isinstance(error, DatabaseError) and "connection" in str(error).lower()


def unavailable(request):
    """The page that waits for the database; posts the same fields again when asked."""
    try:
        posted = [(k, v) for k, values in request.POST.lists() for v in values if k != "csrfmiddlewaretoken"]
    except Exception:  # the body itself may be unreadable; then there is nothing to keep
        posted = []
    page = render_to_string(
        "portal/unavailable.html",
        {
            "path": request.get_full_path(),
            "held": posted,
            "files": bool(request.FILES) if request.method == "POST" else False,
            "csrf": format_html(
                '<input type="hidden" name="csrfmiddlewaretoken" value="{}">', get_token(request)
            ),
        },
    )
    return HttpResponse(page, status=503, headers={"Retry-After": "10"})
