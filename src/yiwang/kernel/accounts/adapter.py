"""How django-allauth behaves here: accounts are given out, not taken."""

from allauth.account.adapter import DefaultAccountAdapter


class Adapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request):
        """Closed: real names come from a provincial identity provider or from an operator."""
        return False
