"""What the service keeps in PostgreSQL: people who listen, music, money, and who agreed to what."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils import timezone


class Language(models.TextChoices):
    """Languages that the service speaks."""

    ENGLISH = "en", "English"
    FRENCH = "fr", "Français"
    GERMAN = "de", "Deutsch"
    ARABIC = "ar", "العربية"
    JAPANESE = "ja", "日本語"


class Listener(models.Model):
    """A person with an account."""

    email = models.EmailField(unique=True)
    display_name = models.CharField(max_length=80)
    country = models.CharField(max_length=2, help_text="ISO 3166-1 alpha-2.")
    language = models.CharField(max_length=2, choices=Language)
    birth_year = models.PositiveSmallIntegerField(null=True, blank=True)
    joined_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["country", "joined_at"], name="listener_country_joined")]
        constraints = [
            models.CheckConstraint(
                condition=Q(birth_year__isnull=True) | Q(birth_year__range=(1900, 2100)),
                name="listener_birth_year_plausible",
            ),
            models.CheckConstraint(
                condition=Q(language__in=["en", "fr", "de", "ar", "ja"]), name="listener_language_known"
            ),
        ]

    def __str__(self) -> str:
        return self.display_name


class Subscription(models.Model):
    """What a listener pays for; at most one that has not ended."""

    class Plan(models.TextChoices):
        """What is sold."""

        SOLO = "solo", "Solo"
        DUO = "duo", "Duo"
        FAMILY = "family", "Family"
        STUDENT = "student", "Student"

    class Period(models.TextChoices):
        """How often it is paid."""

        MONTH = "month", "Every month"
        YEAR = "year", "Every year"

    listener = models.ForeignKey(Listener, on_delete=models.CASCADE, related_name="subscriptions")
    plan = models.CharField(max_length=10, choices=Plan)
    price = models.DecimalField(max_digits=8, decimal_places=2)
    currency = models.CharField(max_length=3, help_text="ISO 4217.")
    period = models.CharField(max_length=5, choices=Period, default=Period.MONTH)
    started_on = models.DateField()
    ended_on = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(price__gte=0), name="subscription_price_not_negative"),
            models.CheckConstraint(
                condition=Q(ended_on__isnull=True) | Q(ended_on__gte=F("started_on")),
                name="subscription_ends_after_start",
            ),
            models.UniqueConstraint(
                fields=["listener"], condition=Q(ended_on__isnull=True), name="subscription_one_current"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_plan_display()}, {self.price} {self.currency}"


class Artist(models.Model):
    """Whoever made the music."""

    name = models.CharField(max_length=120)
    country = models.CharField(max_length=2)

    class Meta:
        indexes = [models.Index(fields=["name"], name="artist_name")]

    def __str__(self) -> str:
        return self.name


class Album(models.Model):
    """Tracks that came out together."""

    artist = models.ForeignKey(Artist, on_delete=models.PROTECT, related_name="albums")
    title = models.CharField(max_length=200)
    released_on = models.DateField()

    def __str__(self) -> str:
        return self.title


class Track(models.Model):
    """A recording, known everywhere by its ISRC."""

    isrc = models.CharField("ISRC", max_length=12, unique=True)
    artist = models.ForeignKey(Artist, on_delete=models.PROTECT, related_name="tracks")
    album = models.ForeignKey(Album, on_delete=models.SET_NULL, null=True, blank=True, related_name="tracks")
    genre = models.CharField(max_length=30)
    duration = models.PositiveIntegerField(help_text="Seconds.")
    released_on = models.DateField()
    popularity = models.PositiveIntegerField(default=0, db_default=0, help_text="Plays, counted by MongoDB.")

    class Meta:
        indexes = [models.Index(fields=["genre", "-released_on"], name="track_genre_newest")]
        constraints = [models.CheckConstraint(condition=Q(duration__gt=0), name="track_has_duration")]

    def __str__(self) -> str:
        return self.isrc


class TrackTitle(models.Model):
    """The title of a track in one language."""

    track = models.ForeignKey(Track, on_delete=models.CASCADE, related_name="titles")
    language = models.CharField(max_length=2, choices=Language)
    title = models.CharField(max_length=200)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["track", "language"], name="track_title_one_a_language")
        ]

    def __str__(self) -> str:
        return self.title


class LabelPayment(models.Model):
    """What the service paid a label for an artist's plays of a month."""

    label = models.CharField(max_length=120)
    artist = models.ForeignKey(Artist, on_delete=models.PROTECT, related_name="payments")
    statement_id = models.BigIntegerField(
        null=True,
        blank=True,
        help_text="Royalty statement that it settles, in Alembic's history.",
    )
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    currency = models.CharField(max_length=3)
    month = models.DateField(help_text="First day of the month.")
    paid_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["label", "artist", "month"], name="label_payment_one_a_month"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="label_payment_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.label}, {self.month:%Y-%m}"


class Consent(models.Model):
    """One line of what a listener agreed to or took back; the newest of a purpose counts."""

    class Purpose(models.TextChoices):
        """What data are used for."""

        RECOMMENDATIONS = "recommendations", "Recommendations"
        STATISTICS = "statistics", "Statistics"
        NEWSLETTER = "newsletter", "Newsletter"

    listener = models.ForeignKey(Listener, on_delete=models.CASCADE, related_name="consents")
    purpose = models.CharField(max_length=20, choices=Purpose)
    given = models.BooleanField(help_text="Off means withdrawn.")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["listener", "purpose", "-at"], name="consent_newest")]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()}: {'given' if self.given else 'withdrawn'}"


class Venue(models.Model):
    """A place where artists play."""

    name = models.CharField(max_length=120)
    city = models.CharField(max_length=80)
    country = models.CharField(max_length=2)
    latitude = models.FloatField()
    longitude = models.FloatField()
    capacity = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(latitude__range=(-90, 90)) & Q(longitude__range=(-180, 180)),
                name="venue_on_earth",
            )
        ]

    def __str__(self) -> str:
        return f"{self.name}, {self.city}"
