"""Creates, changes and deletes a listener in a request of a member of staff; writes nothing but rows."""

from __future__ import annotations

import django

django.setup()

from django.contrib.auth import get_user_model  # noqa: E402 - Django is set up above
from django.core.management import call_command  # noqa: E402 - as above
from django.db import connection  # noqa: E402 - as above
from django.http import HttpRequest, HttpResponse  # noqa: E402 - as above
from django.test import RequestFactory  # noqa: E402 - as above
from django.utils.module_loading import import_string  # noqa: E402 - as above

from core.settings import MIDDLEWARE  # noqa: E402 - as above
from examples.streaming.models import Artist, Consent, Listener, Subscription, Venue  # noqa: E402 - as above

PEOPLE = {"email": "zoe@canary.example", "display_name": "Zoe Quetzal", "country": "ZQ", "birth_year": 1987}


def act(request: HttpRequest) -> HttpResponse:
    """Do what an admin may do to a person."""
    listener = Listener.objects.create(**PEOPLE, language="fr")
    listener.email, listener.display_name = "quetzal.zoe@canary.example", "Z. Quetzal"
    listener.save()
    listener.birth_year = None
    listener.save()
    listener.delete()
    Artist.objects.create(name="Zoe Quetzal", country="ZQ")
    Venue.objects.create(name="Arena", city="Lyon", country="FR", latitude=45.0, longitude=4.0, capacity=900)
    return HttpResponse()


for app in ("auth", "auditlog"):
    call_command("migrate", app, verbosity=0)
with connection.schema_editor() as editor:
    for model in (Listener, Subscription, Consent, Artist, Venue):
        editor.create_model(model)
request = RequestFactory().get(
    "/", REMOTE_ADDR="198.51.100.7", headers={"X-Correlation-ID": "Zoe Quetzal", "X-Forwarded-Port": "4711"}
)
request.user = get_user_model().objects.create_user("officer", "officer@canary.example")
middleware = next(name for name in MIDDLEWARE if "auditlog" in name.lower())
import_string(middleware)(act)(request)
