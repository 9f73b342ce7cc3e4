"""The service's people, music and money in Django's admin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from examples.streaming.models import (
    Album,
    Artist,
    Consent,
    LabelPayment,
    Listener,
    Subscription,
    Track,
    TrackTitle,
    Venue,
)

if TYPE_CHECKING:
    # At run time Django's admin classes take no type arguments.
    ListenerBase = admin.ModelAdmin[Listener]
    SubscriptionBase = admin.TabularInline[Subscription, Listener]
    ConsentInlineBase = admin.TabularInline[Consent, Listener]
    ArtistBase = admin.ModelAdmin[Artist]
    AlbumBase = admin.ModelAdmin[Album]
    TrackBase = admin.ModelAdmin[Track]
    TitleBase = admin.TabularInline[TrackTitle, Track]
    PaymentBase = admin.ModelAdmin[LabelPayment]
    ConsentBase = admin.ModelAdmin[Consent]
    VenueBase = admin.ModelAdmin[Venue]
else:
    ListenerBase = ArtistBase = AlbumBase = TrackBase = PaymentBase = ConsentBase = VenueBase = (
        admin.ModelAdmin
    )
    SubscriptionBase = ConsentInlineBase = TitleBase = admin.TabularInline


class SubscriptionInline(SubscriptionBase):
    """Subscriptions on a listener's page."""

    model = Subscription
    extra = 0


class ConsentInline(ConsentInlineBase):
    """Consents on a listener's page: a history, so lines are added and never changed."""

    model = Consent
    extra = 0
    ordering = ["-at"]

    def has_change_permission(self, request: HttpRequest, obj: Listener | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Listener | None = None) -> bool:
        return False


@admin.register(Listener)
class ListenerAdmin(ListenerBase):
    """Listeners with what they pay for and agreed to."""

    list_display = ["display_name", "email", "country", "language", "joined_at"]
    list_filter = ["language", "country"]
    search_fields = ["display_name", "email"]
    date_hierarchy = "joined_at"
    inlines = [SubscriptionInline, ConsentInline]


@admin.register(Artist)
class ArtistAdmin(ArtistBase):
    """Artists by name."""

    list_display = ["name", "country"]
    list_filter = ["country"]
    search_fields = ["name"]


@admin.register(Album)
class AlbumAdmin(AlbumBase):
    """Albums with their artists."""

    list_display = ["title", "artist", "released_on"]
    list_select_related = ["artist"]
    search_fields = ["title", "artist__name"]
    autocomplete_fields = ["artist"]


class TitleInline(TitleBase):
    """The titles of a track."""

    model = TrackTitle
    extra = 0


@admin.register(Track)
class TrackAdmin(TrackBase):
    """Tracks by title in any language."""

    list_display = ["isrc", "title", "artist", "genre", "length", "released_on", "popularity"]
    list_filter = ["genre"]
    list_select_related = ["artist"]
    search_fields = ["isrc", "titles__title", "artist__name"]
    autocomplete_fields = ["artist", "album"]
    readonly_fields = ["popularity"]
    inlines = [TitleInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Track]:
        return super().get_queryset(request).prefetch_related("titles")

    @admin.display
    def title(self, track: Track) -> str:
        """Give the English title, else any."""
        titles = sorted(track.titles.all(), key=lambda title: title.language != "en")
        return titles[0].title if titles else ""

    @admin.display(ordering="duration")
    def length(self, track: Track) -> str:
        """Give minutes and seconds."""
        return f"{track.duration // 60}:{track.duration % 60:02}"


@admin.register(LabelPayment)
class LabelPaymentAdmin(PaymentBase):
    """Payments to labels."""

    list_display = ["label", "artist", "month", "amount", "currency", "paid_at"]
    list_filter = ["currency", "label"]
    list_select_related = ["artist"]
    date_hierarchy = "month"
    autocomplete_fields = ["artist"]


@admin.register(Consent)
class ConsentAdmin(ConsentBase):
    """Consents, to read."""

    list_display = ["listener", "purpose", "given", "at"]
    list_filter = ["purpose", "given"]
    list_select_related = ["listener"]
    date_hierarchy = "at"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Consent | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Consent | None = None) -> bool:
        return False


@admin.register(Venue)
class VenueAdmin(VenueBase):
    """Venues by place."""

    list_display = ["name", "city", "country", "capacity"]
    list_filter = ["country"]
    search_fields = ["name", "city"]
