"""One request: one transaction, one actor."""

from django.core.exceptions import PermissionDenied
from django.db import transaction

from yiwang.kernel.accounts.queries import MandateEnded, actor_of

from .contracts import SYSTEM, Refused
from .session import ACTING_FOR, announce


class OneTransaction:
    """Wrap the view in a transaction in which PostgreSQL knows the actor; roll back on any error.

    Runs inside the authentication middleware. A view's response and its writes stand or fall together.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        with transaction.atomic():
            announce(SYSTEM)  # only the system may look up who somebody is
            try:
                request.actor = actor_of(request.user, request.session.get(ACTING_FOR, ""))
            except MandateEnded as ended:
                del request.session[ACTING_FOR]
                request.actor = actor_of(request.user)
                raise PermissionDenied(str(ended)) from ended
            announce(request.actor)
            response = self.get_response(request)
            if response.status_code >= 500:
                transaction.set_rollback(True)
        return response

    def process_exception(self, request, exception):
        # Django turns the exception into a response before __call__ sees it: undo the writes here.
        transaction.set_rollback(True)
        if isinstance(exception, Refused):  # a screen that did not expect it: 403, with its sentence
            raise PermissionDenied(str(exception)) from exception
