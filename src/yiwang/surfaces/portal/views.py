"""The sign-in page: django-allauth's, with the demo list in demo mode."""

from allauth.account.views import LoginView

from .screens import demo_list


class SignIn(LoginView):
    """Sign in with a local account, or as somebody of the demo world."""

    template_name = "portal/login.html"

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        context["demo_users"] = demo_list(self.request.actor)
        context["next"] = self.request.GET.get("next", "/")
        return context
