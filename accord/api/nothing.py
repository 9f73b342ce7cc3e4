"""Goes behind all other addresses of an API, so that what isn't there is a problem document, too."""

from __future__ import annotations

from django.urls import URLPattern, re_path

from accord.api.views import NothingView

urlpatterns: list[URLPattern] = [re_path(r"", NothingView.as_view())]
