"""What the project makes of its environment variables."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest
from django.core.exceptions import ImproperlyConfigured

from core.environment import DEVELOPMENT_KEY, Environment, EnvironmentName, read_environment
from core.settings.hardening import hardening
from core.settings.mail import mail_settings
from core.settings.stores import accord_settings, databases

PASSWORD: Final = "hunter2-is-no-password"
GOOD_KEY: Final = "a-key-of-a-test" * 4
URLS: Final = {
    "DATABASE_URL": f"postgresql://shop:{PASSWORD}@db.example:5433/shop?sslmode=require",
    "MONGODB_URL": f"mongodb://shop:{PASSWORD}@m1.example,m2.example/shop?replicaSet=rs0",
    "ELASTICSEARCH_URL": f"https://shop:{PASSWORD}@search.example:9200",
}


def production(**changes: str) -> dict[str, str]:
    """Give the variables of a production that may start, with changes."""
    return {
        "ACCORD_ENV": "production",
        "SECRET_KEY": GOOD_KEY,
        "ALLOWED_HOSTS": "shop.example",
        **URLS,
        **changes,
    }


def refusal(variables: dict[str, str]) -> str:
    """Return what a person reads when these variables are refused."""
    with pytest.raises(ImproperlyConfigured) as caught:
        read_environment(variables)
    return str(caught.value)


def without(variables: dict[str, str], name: str) -> dict[str, str]:
    """Leave one variable out."""
    return {key: value for key, value in variables.items() if key != name}


def test_empty_environment_is_development_with_embedded_stores() -> None:
    """A fresh clone starts without any setting."""
    environment = read_environment({})

    assert environment.name is EnvironmentName.DEVELOPMENT
    assert environment.debug
    assert environment.secret_key == DEVELOPMENT_KEY
    assert environment.embedded == ("postgres", "mongodb", "opensearch")


def test_mail_goes_into_a_folder_until_somebody_says_where(tmp_path: Path) -> None:
    """Development can read what it would send; production has a server of its own, or Django's default."""
    folder = mail_settings(read_environment({}), tmp_path)
    url = "smtp+tls://accord:p%40ss@mail.example:587"
    server = mail_settings(
        read_environment(production(EMAIL_URL=url, EMAIL_FROM="privacy@shop.example")), tmp_path
    )

    assert folder["EMAIL_FILE_PATH"] == tmp_path / ".accord" / "mail"
    assert mail_settings(read_environment(production()), tmp_path) == {}
    assert (server["EMAIL_HOST"], server["EMAIL_PORT"], server["EMAIL_USE_TLS"]) == (
        "mail.example",
        587,
        True,
    )
    assert (server["EMAIL_HOST_PASSWORD"], server["DEFAULT_FROM_EMAIL"]) == ("p@ss", "privacy@shop.example")


def test_address_of_a_mail_server_that_cannot_be_read_is_not_repeated(tmp_path: Path) -> None:
    """It may hold a password, or be meant for another variable."""
    with pytest.raises(ImproperlyConfigured) as caught:
        mail_settings(read_environment(production(EMAIL_URL=f"http://x:{PASSWORD}@mail.example")), tmp_path)

    assert "EMAIL_URL" in str(caught.value)
    assert PASSWORD not in str(caught.value)


def test_complete_production_starts_hardened() -> None:
    """With its own key and servers a production starts, DEBUG off and every guard on."""
    environment = read_environment(production())

    settings = hardening(environment)

    assert not environment.debug
    assert environment.embedded == ()
    assert settings["SECURE_SSL_REDIRECT"]
    assert settings["SECURE_HSTS_SECONDS"] > 0
    assert settings["SESSION_COOKIE_SECURE"]
    assert settings["CSRF_COOKIE_SECURE"]
    assert "SECURE_PROXY_SSL_HEADER" not in settings


@pytest.mark.parametrize("missing", ["SECRET_KEY", *URLS])
@pytest.mark.parametrize(
    "guard",
    [{"ACCORD_ENV": "production"}, {"ACCORD_ENV": "staging"}, {"ACCORD_ENV": "development", "DEBUG": "off"}],
)
def test_guarded_environment_refuses_to_start_without(missing: str, guard: dict[str, str]) -> None:
    """Whoever isn't in development brings a key and the URL of every store."""
    text = refusal(without(production(**guard), missing))

    assert f"{missing} is unset" in text


def test_development_key_is_refused_in_production() -> None:
    """The key that everybody can read signs nothing real."""
    assert "public development key" in refusal(production(SECRET_KEY=DEVELOPMENT_KEY))


def test_short_key_is_refused_in_production() -> None:
    """A key that can be guessed is refused, and not repeated."""
    text = refusal(production(SECRET_KEY="abc-short"))

    assert "fewer than 50" in text
    assert "abc-short" not in text


def test_key_of_few_letters_is_refused_in_production() -> None:
    """A long key that says the same letters again is guessed as soon as a short one."""
    text = refusal(production(SECRET_KEY="abcd" * 15))

    assert "fewer than 5 different characters" in text
    assert "abcdabcd" not in text


def test_key_may_begin_with_a_dollar_sign() -> None:
    """A key is taken as it is, and never for a reference to another variable."""
    environment = read_environment(production(SECRET_KEY="$" + GOOD_KEY))

    assert environment.secret_key == "$" + GOOD_KEY


def test_debug_is_refused_in_production() -> None:
    """Nobody shows tracebacks to the world by accident."""
    assert "DEBUG is on" in refusal(production(DEBUG="true"))


def test_all_problems_are_said_at_once() -> None:
    """One start names everything that is to be set."""
    text = refusal({"ACCORD_ENV": "production"})

    for name in ("SECRET_KEY", *URLS):
        assert name in text


@pytest.mark.parametrize("name", sorted(URLS))
def test_url_of_another_scheme_is_refused_without_being_repeated(name: str) -> None:
    """A URL in the wrong variable is refused before anything connects, and its password stays secret."""
    text = refusal(production(**{name: f"mysql://shop:{PASSWORD}@db.example/shop"}))

    assert f"{name} is no URL" in text
    assert PASSWORD not in text


@pytest.mark.parametrize("name", sorted(URLS))
def test_password_that_is_not_encoded_is_refused_without_being_repeated(name: str) -> None:
    """A driver would take a part of it for a host, and name that in its message."""
    text = refusal(production(**{name: URLS[name].replace(PASSWORD, f"12345/{PASSWORD}")}))

    assert f"{name} can be read in several ways" in text
    assert PASSWORD not in text
    assert "12345" not in text


def test_unknown_environment_is_refused() -> None:
    """A typing mistake never silently means development."""
    assert "development, test, staging, production" in refusal({"ACCORD_ENV": "prodcution"})


def test_unreadable_number_is_refused_with_its_name() -> None:
    """A value of the wrong type names its variable."""
    assert "SECURE_HSTS_SECONDS" in refusal(production(SECURE_HSTS_SECONDS="soon"))


def test_secrets_stay_out_of_the_repr() -> None:
    """Printing the environment shows neither key nor passwords."""
    text = repr(read_environment(production()))

    assert GOOD_KEY not in text
    assert PASSWORD not in text


def test_proxy_header_is_trusted_only_on_request() -> None:
    """The header that says HTTPS counts only when a proxy is known to set it."""
    settings = hardening(read_environment(production(BEHIND_PROXY="yes")))

    assert settings["SECURE_PROXY_SSL_HEADER"] == ("HTTP_X_FORWARDED_PROTO", "https")


def test_databases_come_from_the_urls() -> None:
    """PostgreSQL is the default, documents have a MongoDB database beside the one in its URL."""
    found = databases(URLS)

    assert found["default"]["ENGINE"] == "django.db.backends.postgresql"
    assert found["default"]["NAME"] == "shop"
    assert found["default"]["PASSWORD"] == PASSWORD
    assert found["default"]["OPTIONS"] == {"sslmode": "require"}
    assert found["documents"]["NAME"] == "shop_documents"
    assert found["documents"]["HOST"] == URLS["MONGODB_URL"]


def test_documents_have_a_database_also_when_the_url_names_none() -> None:
    """A URL without a path is enough."""
    found = databases({**URLS, "MONGODB_URL": "mongodb://m1.example"})

    assert found["documents"]["NAME"] == "accord_documents"


def test_accord_learns_the_environment_and_the_coordinator() -> None:
    """Governance rules see the same environment as the settings."""
    environment: Environment = read_environment(production())

    found = accord_settings(environment, URLS)

    assert found["ENVIRONMENT"] == "production"
    assert found["COORDINATOR"] == "default"
