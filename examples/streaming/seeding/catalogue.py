"""The music and the places: artists, albums, tracks with their titles, payments, venues."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from math import sqrt
from random import Random

from examples.streaming.models import Album, Artist, LabelPayment, Track, TrackTitle, Venue
from examples.streaming.seeding.chance import NOW, PLACES, Chance

TRACKS_ON_ALBUM = 8
ALBUMS_OF_ARTIST = 2
DIMENSIONS = 8
GENRES = ("pop", "rock", "jazz", "classical", "electronic", "folk", "hip-hop", "chanson", "rai", "city pop")
LABELS = ("Northern Lantern", "Petit Matin", "Kellerkind", "Nile Street", "Yoake Records")

# A title is two of these joined by “and”: the one pattern that is right in all five languages.
NOUNS = (
    ("Night", "La nuit", "Nacht", "الليل", "夜"),
    ("Rain", "La pluie", "Regen", "المطر", "雨"),
    ("River", "La rivière", "Fluss", "النهر", "川"),
    ("Moon", "La lune", "Mond", "القمر", "月"),
    ("Garden", "Le jardin", "Garten", "الحديقة", "庭"),
    ("Train", "Le train", "Zug", "القطار", "電車"),
    ("Letter", "La lettre", "Brief", "الرسالة", "手紙"),
    ("Winter", "L'hiver", "Winter", "الشتاء", "冬"),
    ("Summer", "L'été", "Sommer", "الصيف", "夏"),
    ("Window", "La fenêtre", "Fenster", "النافذة", "窓"),
    ("Bird", "L'oiseau", "Vogel", "الطائر", "鳥"),
    ("Mountain", "La montagne", "Berg", "الجبل", "山"),
    ("Sea", "La mer", "Meer", "البحر", "海"),
    ("Street", "La rue", "Straße", "الشارع", "道"),
    ("Dream", "Le rêve", "Traum", "الحلم", "夢"),
    ("Wind", "Le vent", "Wind", "الريح", "風"),
    ("Star", "L'étoile", "Stern", "النجمة", "星"),
    ("Bridge", "Le pont", "Brücke", "الجسر", "橋"),
    ("Mirror", "Le miroir", "Spiegel", "المرآة", "鏡"),
    ("Clock", "L'horloge", "Uhr", "الساعة", "時計"),
    ("Forest", "La forêt", "Wald", "الغابة", "森"),
    ("Island", "L'île", "Insel", "الجزيرة", "島"),
    ("Snow", "La neige", "Schnee", "الثلج", "雪"),
    ("Morning", "Le matin", "Morgen", "الصباح", "朝"),
)
LANGUAGES = ("en", "fr", "de", "ar", "ja")
CITIES = (
    ("London", "GB", 51.507, -0.128),
    ("Manchester", "GB", 53.479, -2.245),
    ("New York", "US", 40.713, -74.006),
    ("New Orleans", "US", 29.951, -90.072),
    ("Paris", "FR", 48.857, 2.352),
    ("Lyon", "FR", 45.764, 4.836),
    ("Bruxelles", "BE", 50.850, 4.352),
    ("Berlin", "DE", 52.520, 13.405),
    ("Hamburg", "DE", 53.551, 9.994),
    ("Wien", "AT", 48.208, 16.374),
    ("القاهرة", "EG", 30.044, 31.236),
    ("جدة", "SA", 21.486, 39.192),
    ("東京", "JP", 35.690, 139.692),
    ("大阪", "JP", 34.694, 135.502),
)
HALLS = ("Lantern Hall", "Old Brewery", "Blue Cellar", "Harbour Stage", "Garden Theatre", "Station Club")


def artists_for(tracks: int) -> int:
    """Tell how many artists make a number of tracks."""
    return -(-albums_for(tracks) // ALBUMS_OF_ARTIST)


def albums_for(tracks: int) -> int:
    """Tell how many albums hold a number of tracks."""
    return -(-tracks // TRACKS_ON_ALBUM)


def artists(chance: Chance, count: int) -> Iterator[Artist]:
    """Give artists, named as people of their country are."""
    for number in range(1, count + 1):
        dice = chance.dice("artist", number)
        place = dice.choice(PLACES)
        yield Artist(id=number, name=chance.faker(place, dice).name(), country=place.country)


def albums(chance: Chance, count: int) -> Iterator[Album]:
    """Give albums, in turn of the artists."""
    for number in range(1, count + 1):
        dice = chance.dice("album", number)
        yield Album(
            id=number,
            artist_id=(number - 1) // ALBUMS_OF_ARTIST + 1,
            title=dice.choice(NOUNS)[0],
            released_on=_release(dice),
        )


def tracks(chance: Chance, count: int) -> Iterator[Track]:
    """Give tracks, in turn of the albums."""
    for number in range(1, count + 1):
        dice = chance.dice("track", number)
        album = (number - 1) // TRACKS_ON_ALBUM + 1
        yield Track(
            id=number,
            isrc=f"QZACC{number:07}",
            artist_id=(album - 1) // ALBUMS_OF_ARTIST + 1,
            album_id=album,
            genre=GENRES[album % len(GENRES)],
            duration=dice.randint(95, 420),
            released_on=_release(chance.dice("album", album)),
        )


def titles(chance: Chance, count: int) -> Iterator[TrackTitle]:
    """Give the titles of all tracks: English always, each other language for three tracks in four."""
    for number in range(1, count + 1):
        dice = chance.dice("title", number)
        words = _two_nouns(number)
        for place, language in enumerate(LANGUAGES):
            if language == "en" or dice.random() < 0.75:
                yield TrackTitle(
                    id=number * 10 + place, track_id=number, language=language, title=_joined(words, place)
                )


def payments(chance: Chance, artist_count: int) -> Iterator[LabelPayment]:
    """Give what labels got for the artists in the last three months."""
    for number in range(1, artist_count + 1):
        dice = chance.dice("payment", number)
        for month in (8, 9, 10):
            yield LabelPayment(
                id=number * 100 + month,
                label=LABELS[number % len(LABELS)],
                artist_id=number,
                amount=Decimal(dice.randint(500, 900_000)) / 100,
                currency="EUR",
                month=date(NOW.year, month, 1),
                paid_at=None
                if month == NOW.month - 1
                else NOW - timedelta(days=30 * (NOW.month - 1 - month)),
            )


def venues(chance: Chance, count: int) -> Iterator[Venue]:
    """Give venues, a few kilometres around the middle of a city."""
    for number in range(1, count + 1):
        dice = chance.dice("venue", number)
        city, country, latitude, longitude = CITIES[(number - 1) % len(CITIES)]
        yield Venue(
            id=number,
            name=f"{HALLS[(number - 1) // len(CITIES) % len(HALLS)]} {city}",
            city=city,
            country=country,
            latitude=round(latitude + dice.uniform(-0.05, 0.05), 5),
            longitude=round(longitude + dice.uniform(-0.05, 0.05), 5),
            capacity=dice.choice((150, 300, 800, 1500, 4000)),
        )


def embedding(chance: Chance, track: int, genre: str) -> Sequence[float]:
    """Give the embedding of a track: a unit vector near the one of its genre."""
    middle = chance.dice("genre", GENRES.index(genre))
    dice = chance.dice("embedding", track)
    vector = [middle.gauss(0, 1) + dice.gauss(0, 0.3) for _ in range(DIMENSIONS)]
    length = sqrt(sum(number * number for number in vector))
    return [round(number / length, 6) for number in vector]


def _release(dice: Random) -> date:
    return date(1990, 1, 1) + timedelta(days=dice.randrange(13_000))


def _two_nouns(number: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Give a pair of two different nouns; the pairs come again only after all were used."""
    first, step = divmod(number - 1, len(NOUNS) - 1)
    return NOUNS[first % len(NOUNS)], NOUNS[(first + step + 1) % len(NOUNS)]


def _joined(words: tuple[tuple[str, ...], tuple[str, ...]], place: int) -> str:
    first, second = words[0][place], words[1][place]
    match LANGUAGES[place]:
        case "fr":
            return f"{first} et {second[0].lower()}{second[1:]}"
        case "de":
            return f"{first} und {second}"
        case "ar":
            return f"{first} و{second}"
        case "ja":
            return f"{first}と{second}"
        case _:
            return f"{first} and {second}"
