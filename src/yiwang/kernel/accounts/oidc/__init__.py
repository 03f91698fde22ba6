"""OpenID Connect both ways, by django-allauth: people sign in elsewhere, and departments' systems sign in here."""
