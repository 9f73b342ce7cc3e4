"""
What the environment says: checked and typed.

Everything that differs between two installations comes from environment variables, which a
file `.env` beside manage.py may set (.env.example explains each). The checks here refuse a
dangerous combination before Django starts, and say all of them at once. The module stays
outside of the settings, because manage.py reads it before them.
"""

from __future__ import annotations

import enum
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

from accord.secrets.redact import HIDDEN, address

BASE_DIR = Path(__file__).resolve().parents[1]

# Public on purpose: a checkout runs without any setting, and nothing real may run with this key.
DEVELOPMENT_KEY = "development-only-never-use-this-key-where-anybody-else-can-reach-it"
SHORTEST_KEY = 50
FEWEST_CHARACTERS = 5
"""What Django's own check of a deployment asks for; a key of one letter is long, and no secret."""


class EnvironmentName(enum.StrEnum):
    """Kind of installation that this is."""

    DEVELOPMENT = "development"
    TEST = "test"
    STAGING = "staging"
    PRODUCTION = "production"

    @property
    def is_real(self) -> bool:
        """Return whether other people depend on it."""
        return self in (EnvironmentName.STAGING, EnvironmentName.PRODUCTION)


@dataclass(frozen=True, kw_only=True)
class StoreVariable:
    """
    An environment variable that holds a store's URL.

    Attributes:
        name: Name of the variable.
        schemes: URL schemes that it may have.
        embedded: Embedded server that stands in where the variable is unset.
    """

    name: str
    schemes: tuple[str, ...]
    embedded: str


DATABASE_URL = StoreVariable(name="DATABASE_URL", schemes=("postgresql", "postgres"), embedded="postgres")
MONGODB_URL = StoreVariable(name="MONGODB_URL", schemes=("mongodb", "mongodb+srv"), embedded="mongodb")
ELASTICSEARCH_URL = StoreVariable(name="ELASTICSEARCH_URL", schemes=("https", "http"), embedded="opensearch")
STORE_VARIABLES = (DATABASE_URL, MONGODB_URL, ELASTICSEARCH_URL)


@dataclass(frozen=True, kw_only=True)
class Environment:
    """
    The environment variables of the project, checked.

    Attributes:
        name: Kind of installation.
        debug: Whether Django shows errors to whoever asks.
        secret_key: Key that signs sessions and tokens.
        urls: URLs of stores by variable name; only those that are set.
        search_prefix: What the names of search indexes begin with, where several projects share a server.
        allowed_hosts: Host names that the site answers to.
        trusted_origins: Origins that may post forms.
        behind_proxy: Whether one proxy in front sets `X-Forwarded-Proto` and `X-Forwarded-For`, and
            nobody else can.
        ssl_redirect: Whether plain HTTP is sent on to HTTPS.
        hsts_seconds: How long browsers shall insist on HTTPS.
        log_level: Lowest level that is logged.
        media_root: Folder of what people upload; empty for the default.
        static_root: Folder that `collectstatic` fills; empty for the default.
        broker_url: Broker of the Celery workers; empty for none.
        mail_url: How mail goes; empty for a folder in development and test, elsewhere for Django's defaults.
        mail_from: Address that mail comes from; empty for Django's own.
    """

    name: EnvironmentName
    debug: bool
    secret_key: str = field(repr=False)
    urls: Mapping[str, str] = field(repr=False)
    search_prefix: str
    allowed_hosts: tuple[str, ...]
    trusted_origins: tuple[str, ...]
    behind_proxy: bool
    ssl_redirect: bool
    hsts_seconds: int
    log_level: str
    media_root: str
    static_root: str
    broker_url: str = field(repr=False)
    mail_url: str = field(repr=False)
    mail_from: str

    @property
    def is_guarded(self) -> bool:
        """Return whether this installation must bring its own key and servers."""
        return self.name.is_real or not self.debug

    @property
    def embedded(self) -> tuple[str, ...]:
        """Name the embedded servers that stand in for the URLs that are unset."""
        return tuple(variable.embedded for variable in STORE_VARIABLES if variable.name not in self.urls)


def load_environment() -> Environment:
    """
    Read the environment of this process, completed by the file `.env` of the checkout.

    Raises:
        ImproperlyConfigured: As for :func:`read_environment`.
    """
    file = BASE_DIR / ".env"
    if file.is_file():
        environ.Env.read_env(file)
    return read_environment(os.environ)


def read_environment(variables: Mapping[str, str]) -> Environment:
    """
    Read and check the environment.

    Args:
        variables: Names to values, such as `os.environ`.

    Raises:
        ImproperlyConfigured: Something is missing, malformed or dangerous; the text names each
            variable and what to set, and never its value.
    """
    environment = _parse(variables)
    problems = [*_malformed_urls(environment), *_dangers(environment)]
    if problems:
        listed = "".join(f"\n  - {problem}" for problem in problems)
        raise ImproperlyConfigured(f"The environment “{environment.name}” can't start:{listed}")
    return environment


def _parse(variables: Mapping[str, str]) -> Environment:
    env = environ.Env()
    env.ENVIRON = dict(variables)
    name = _environment_name(variables.get("ACCORD_ENV", ""))
    debug = _read(env.bool, "DEBUG", default=not name.is_real)
    return Environment(
        name=name,
        debug=debug,
        # Not by environ: it would take a key that begins with a dollar sign for a reference.
        secret_key=variables.get("SECRET_KEY", "") or ("" if name.is_real or not debug else DEVELOPMENT_KEY),
        urls=_store_urls(variables),
        search_prefix=variables.get("ELASTICSEARCH_PREFIX", ""),
        allowed_hosts=tuple(_read(env.list, "ALLOWED_HOSTS", default=[])),
        trusted_origins=tuple(_read(env.list, "CSRF_TRUSTED_ORIGINS", default=[])),
        behind_proxy=_read(env.bool, "BEHIND_PROXY", default=False),
        ssl_redirect=_read(env.bool, "SECURE_SSL_REDIRECT", default=not debug),
        hsts_seconds=_read(env.int, "SECURE_HSTS_SECONDS", default=0 if debug else 31_536_000),
        log_level=_read(env.str, "LOG_LEVEL", default="WARNING").upper(),
        media_root=variables.get("MEDIA_ROOT", ""),
        static_root=variables.get("STATIC_ROOT", ""),
        broker_url=variables.get("CELERY_BROKER_URL", ""),
        mail_url=variables.get("EMAIL_URL", ""),
        mail_from=variables.get("EMAIL_FROM", ""),
    )


def _read(reader: Any, name: str, *, default: Any) -> Any:
    try:
        return reader(name, default=default)
    except ValueError as exc:
        # The value stays out of the text; it may have been meant for another variable.
        raise ImproperlyConfigured(f"{name} has a value that can't be read. See .env.example.") from exc


def _environment_name(value: str) -> EnvironmentName:
    try:
        return EnvironmentName(value or EnvironmentName.DEVELOPMENT)
    except ValueError:
        known = ", ".join(EnvironmentName)
        raise ImproperlyConfigured(
            f"ACCORD_ENV is none of the known ones. Set it to one of: {known}."
        ) from None


def _store_urls(variables: Mapping[str, str]) -> dict[str, str]:
    names = (variable.name for variable in STORE_VARIABLES)
    return {name: variables[name] for name in names if variables.get(name)}


def _malformed_urls(environment: Environment) -> Iterator[str]:
    for variable in STORE_VARIABLES:
        url = environment.urls.get(variable.name)
        if url is not None and address(url).endswith(HIDDEN):
            yield (
                f"{variable.name} can be read in several ways: a special character in it is not %-encoded."
                " Write @ in user and password as %40, / as %2F, : as %3A, ? as %3F, # as %23."
            )
        elif url is not None and urlsplit(url).scheme not in variable.schemes:
            yield f"{variable.name} is no URL that begins with {variable.schemes[0]}://. Correct it."


def _dangers(environment: Environment) -> Iterator[str]:
    if not environment.is_guarded:
        return
    if environment.debug:
        yield "DEBUG is on, which shows settings and data to strangers. Unset it."
    yield from _key_dangers(environment.secret_key)
    for variable in STORE_VARIABLES:
        if variable.name not in environment.urls:
            yield (
                f"{variable.name} is unset, and embedded servers are for development only."
                f" Set it to {variable.schemes[0]}://..."
            )


def _key_dangers(key: str) -> Iterator[str]:
    make_one = (
        "Make one: python -c"
        ' "from django.core.management.utils import get_random_secret_key as key; print(key())"'
    )
    if not key:
        yield f"SECRET_KEY is unset. {make_one}"
    elif key == DEVELOPMENT_KEY:
        yield f"SECRET_KEY is the public development key. {make_one}"
    elif len(key) < SHORTEST_KEY:
        yield f"SECRET_KEY has fewer than {SHORTEST_KEY} characters. {make_one}"
    elif len(set(key)) < FEWEST_CHARACTERS:
        yield f"SECRET_KEY has fewer than {FEWEST_CHARACTERS} different characters. {make_one}"
