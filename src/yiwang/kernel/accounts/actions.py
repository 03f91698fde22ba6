"""Accounts are given out by an operator or come from an identity provider; nobody signs himself up."""

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from yiwang.kernel.access.contracts import SYSTEM, Refused
from yiwang.kernel.access.session import acting
from yiwang.kernel.audit.api import record

from .models import Person, User


def add(username: str, password: str, idno: str, name: str = "", phone: str = "") -> User:
    """Give a person an account with a password.

    Args:
        idno: GB 11643 number of the person, who is made when not known yet; then ``name`` is needed.

    Raises:
        Refused: the name is taken, the password is weak, or the person is not known and has no name.
    """
    with acting(SYSTEM):
        if User.objects.filter(username=username).exists():
            raise Refused(_("已有名为“%(name)s”的账号，请换一个。") % {"name": username})
        person = Person.objects.filter(idno=idno).first()
        if person is None:
            if not name:
                raise Refused(_("没有号码为 %(idno)s 的人，请同时给出姓名。") % {"idno": idno})
            person = Person.objects.create(name=name, idno=idno, phone=phone)
        try:
            validate_password(password)
        except ValidationError as weak:
            raise Refused("；".join(weak.messages)) from weak
        user = User.objects.create_user(username, password, person=person)
        record(SYSTEM, "account.added", "user", user.id, username=username)
        return user
