"""Addresses of version 1."""

from django.urls import path

from . import screens
from .v1 import api

urlpatterns = [
    path("openapi.json", screens.openapi, name="openapi"),
    path("docs", screens.docs, name="api_docs"),
    path("", api.urls),
]
