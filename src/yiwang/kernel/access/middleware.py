"""One request: one transaction, one actor."""

from django.core.exceptions import PermissionDenied
from django.db import transaction

from yiwang.kernel.accounts.queries import MandateEnded, actor_of
from yiwang.kernel.accounts.tokens import bearer

from .contracts import SYSTEM, VISITOR, Refused
from .limits import count_write
from .session import ACTING_FOR, announce

WRITES = frozenset(("POST", "PUT", "PATCH", "DELETE"))
API = "/api/"  # the addresses that take a token; pages are for people


class OneTransaction:
    """Wrap the view in a transaction in which PostgreSQL knows the actor; roll back on any error.

    Runs inside the authentication middleware. A view's response and its writes stand or fall together.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        with transaction.atomic():
            request.scopes = None  # of the token; None where a session signed in
            if request.path.startswith(API) and "Authorization" in request.headers:
                self._by_token(request)
            else:
                self._by_session(request)
            if request.method in WRITES and request.actor.user_id is not None:
                count_write(request.actor.user_id)
            announce(request.actor)
            response = self.get_response(request)
            if response.status_code >= 500:
                transaction.set_rollback(True)
        return response

    def _by_session(self, request):
        announce(SYSTEM)  # only the system may look up who somebody is
        try:
            request.actor = actor_of(request.user, request.session.get(ACTING_FOR, ""))
        except MandateEnded as ended:
            del request.session[ACTING_FOR]
            request.actor = actor_of(request.user)
            raise PermissionDenied(str(ended)) from ended

    def _by_token(self, request):
        """A bad token makes a visitor, and the API says 401; a session beside it is not looked at."""
        scheme, _space, secret = request.headers["Authorization"].partition(" ")
        request.actor, request.scopes = VISITOR, frozenset()
        if scheme.lower() == "bearer":
            try:
                found = bearer(secret.strip(), request.headers.get("Acting-For", ""))
            except MandateEnded as ended:
                raise PermissionDenied(str(ended)) from ended
            if found is not None:
                request.actor, request.scopes = found.actor, found.scopes

    def process_exception(self, request, exception):
        # Django turns the exception into a response before __call__ sees it: undo the writes here.
        transaction.set_rollback(True)
        if isinstance(exception, Refused):  # a screen that did not expect it: 403, with its sentence
            raise PermissionDenied(str(exception)) from exception
