"""`yiwang account …`: accounts, posts, tokens, systems that sign people in here."""

import json
import sys
from datetime import date

from .common import Groups, add, django_ready, group


def _account_add(args) -> int:
    import getpass

    django_ready()
    from yiwang.kernel.access.contracts import SYSTEM, Refused
    from yiwang.kernel.access.session import acting
    from yiwang.kernel.accounts import actions as accounts
    from yiwang.kernel.orgs import actions as orgs

    # From a terminal it is typed; a script pipes it. Never an argument: those are seen by every process.
    password = getpass.getpass("密码：") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    try:
        with acting(SYSTEM):
            user = accounts.add(args.username, password, args.idno, args.name, args.phone)
            if args.office:
                roles = [r for r in args.roles.split(",") if r]
                orgs.appoint(SYSTEM, user.person_id, args.office, args.title, roles, date.today())
    except Refused as refused:
        print(refused, file=sys.stderr)
        return 1
    print(f"已建账号 {args.username}（{user.person.name}）")
    return 0


def _account_token(args) -> int:
    django_ready()
    from yiwang.kernel.access.contracts import SYSTEM, Refused
    from yiwang.kernel.access.session import acting
    from yiwang.kernel.accounts import tokens

    try:
        with acting(SYSTEM):
            if args.revoke:
                tokens.revoke(SYSTEM, args.username, args.name)
                secret = f"已收回 {args.username} 的令牌 {args.name}"
            else:
                scopes = [scope for scope in args.scopes.split(",") if scope]
                secret = tokens.issue(SYSTEM, args.username, args.name, args.days, scopes)
    except Refused as refused:
        print(refused, file=sys.stderr)
        return 1
    if not args.revoke:
        print("令牌只显示这一次，请立即保存：", file=sys.stderr)
    print(secret)
    return 0


def _account_system(args) -> int:
    django_ready()
    from yiwang.kernel.access.contracts import SYSTEM, Refused
    from yiwang.kernel.access.session import acting
    from yiwang.kernel.accounts.oidc import clients

    try:
        with acting(SYSTEM):
            if args.remove:
                clients.remove(SYSTEM, args.name)
                print(f"已收回“{args.name}”的登录权")
                return 0
            client_id, secret = clients.add(SYSTEM, args.name, args.redirect, args.scopes.split(","))
    except Refused as refused:
        print(refused, file=sys.stderr)
        return 1
    print("密钥只显示这一次，请立即交给对方：", file=sys.stderr)
    print(json.dumps({"client_id": client_id, "client_secret": secret}))
    return 0


def commands(to: Groups) -> None:
    account = group(to, "account", "accounts and posts")
    give = add(
        account,
        "add",
        _account_add,
        "give a person an account; the password is read from the terminal or stdin",
    )
    give.add_argument("username")
    give.add_argument("--idno", required=True, help="GB 11643 number of the person")
    give.add_argument("--name", default="", help="needed when the person is not known yet")
    give.add_argument("--phone", default="")
    give.add_argument("--office", default="", help="full name of an office in which to give a post")
    give.add_argument("--roles", default="", help="roles of the post, with commas: acceptor,reviewer,decider")
    give.add_argument("--title", default="")
    system = add(account, "system", _account_system, "let a department's system sign people in here (OIDC)")
    system.add_argument("name", help="as people see it when they are asked")
    system.add_argument(
        "--redirect", action="append", default=[], help="where they may be sent back; repeat it"
    )
    system.add_argument("--scopes", default="openid,profile", help="of openid, profile, idno, posts")
    system.add_argument("--remove", action="store_true", help="take the right back")
    token = add(account, "token", _account_token, "make (or take back) an API token of an account")
    token.add_argument("username")
    token.add_argument("--name", required=True, help="to tell it from others")
    token.add_argument("--days", type=int, default=90, help="how long it is good, at most 366")
    token.add_argument("--scopes", default="read,apply,handle", help="with commas; default: all")
    token.add_argument("--revoke", action="store_true", help="take the token of that name back")
