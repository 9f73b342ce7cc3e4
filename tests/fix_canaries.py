"""Canaries: words that nobody else has, planted wherever a person's data are, and looked for byte by byte."""

from __future__ import annotations

import base64
import json
import re
import struct
import subprocess
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from bson import Binary, ObjectId, encode
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient

from accord.embedded import postgres_binary
from tests.fix_postgres import execute
from tests.fix_project import Project

Place = tuple[str, bytes]
SEARCH_PAGE = 10_000


# --- planting -----------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Canaries:
    """
    What is known of one person only.

    Attributes:
        word: A word, which is also the local part of the e-mail address.
        mark: A UUID.
        number: The person's primary key, long enough that no other number is alike.
    """

    word: str = field(default_factory=lambda: f"zqx{uuid.uuid4().hex[:12]}")
    mark: uuid.UUID = field(default_factory=uuid.uuid4)
    number: int = field(default_factory=lambda: 7_000_000_000_000_000 + uuid.uuid4().int % 10**15)

    @property
    def email(self) -> str:
        """The person's address."""
        return f"{self.word}@example.com"

    @cached_property
    def forms(self) -> Mapping[str, re.Pattern[bytes]]:
        """Each canary in each form that bytes may have it in."""
        texts = {"word": self.word, "e-mail": self.email, "UUID": str(self.mark), "UUID, bare": self.mark.hex}
        patterns = {
            form: re.compile(b"|".join(map(re.escape, _written(text))), re.IGNORECASE)
            for form, text in {**texts, "number": str(self.number)}.items()
        }
        binary = {
            "UUID, binary": [self.mark.bytes, self.mark.bytes_le],
            "number, binary": [struct.pack(f"{order}{kind}", self.number) for order in "<>" for kind in "qd"],
            **{f"{form}, base64": _in_base64(text) for form, text in texts.items()},
        }
        return patterns | {
            form: re.compile(b"|".join(map(re.escape, values))) for form, values in binary.items()
        }


def _written(text: str) -> Iterator[bytes]:
    """Give a text as it is, as two bytes a letter, as hexadecimal digits, and as part of an address."""
    yield text.encode()
    yield text.encode("utf-16-le")
    yield text.encode().hex().encode()
    yield text.replace("@", "%40").encode()


def _in_base64(text: str) -> list[bytes]:
    """Give what stays the same of a text in base64, wherever in a longer text it begins."""
    found = []
    for offset in range(3):
        whole = base64.b64encode(bytes(offset) + text.encode())
        # The letters at both ends also hold bits of their neighbours.
        inner = whole[(offset * 8 + 5) // 6 : (offset + len(text)) * 8 // 6]
        found += [inner, inner.translate(bytes.maketrans(b"+/", b"-_"))]
    return found


def plant_person(project: Project, canaries: Canaries) -> None:
    """Make a listener with data in every place that the map names, canaries in each of them."""
    person = canaries.number
    execute(
        project.database_url,
        "INSERT INTO streaming_listener (id, email, display_name, country, language, birth_year, joined_at)"
        f" VALUES ({person}, '', '', 'FR', 'fr', 1980, now())",
        "INSERT INTO streaming_consent (listener_id, purpose, given, at)"
        f" VALUES ({person}, 'newsletter', true, now())",
    )
    _move_in(project, person)
    plant(project, canaries.word, person)
    _mark(project, canaries)


def _move_in(project: Project, person: int) -> None:
    """Give a listener one of each document that another one has."""
    with MongoClient[dict[str, Any]](project.mongodb_url) as client:
        raw = client.get_default_database()
        documents = client[f"{raw.name}_documents"]
        for collection, owner in (
            (raw["playlists"], "owner_id"),
            (raw["recommendations"], "listener_id"),
            (documents["device_profile"], "listener_id"),
        ):
            like = collection.find_one({owner: {"$gt": 0}})
            assert like is not None
            collection.insert_one({**like, "_id": ObjectId(), owner: person})


def _mark(project: Project, canaries: Canaries) -> None:
    """Leave the UUID wherever an application might have put one, in text and in binary."""
    mark, person, word = canaries.mark, canaries.number, canaries.word
    execute(
        project.database_url,
        f"UPDATE accord_accesstoken SET label = '{mark.hex}' WHERE label = '{word}'",
        f'UPDATE auditlog_logentry SET additional_data = \'{{"device": "{mark}"}}\''
        f" WHERE object_pk = '{person}'",
        f"UPDATE django_admin_log SET change_message = '{mark}' WHERE object_id = '{person}'",
    )
    with MongoClient[dict[str, Any]](project.mongodb_url) as client:
        raw = client.get_default_database()
        documents = client[f"{raw.name}_documents"]
        mine = {"listener_id": person}
        raw["plays"].update_many(mine, {"$set": {"device": Binary.from_uuid(mark)}})
        raw["recommendations"].update_many(mine, {"$set": {"made_for": [person, str(mark)]}})
        documents["device_profile"].update_many(mine, {"$set": {"settings": {"serial": str(mark)}}})
    session = (
        "from datetime import datetime, timedelta, UTC; "
        "from django.contrib.sessions.models import Session; "
        "from django.contrib.auth.models import User; "
        f"data = {{'_auth_user_id': str(User.objects.get(first_name='{word}').pk)}}; "
        f"Session.objects.create(session_key='{mark.hex}', session_data=Session.objects.encode(data), "
        "expire_date=datetime.now(UTC) + timedelta(days=1))"
    )
    public = (
        "from examples.streaming.seeding.writers import index_documents; "
        f"index_documents('public-playlists', [('{mark}', {{'owner_id': '{person}', "
        f"'owner_name': '{canaries.email}', 'title': '{mark.hex}', 'track_ids': [1]}})])"
    )
    project.manage("shell", "-v", "0", "-c", f"{session}; {public}")


def plant(project: Project, canary: str, person: int) -> None:
    """Write a word that nobody else has into every place that the map names."""
    picture = project.media / "pictures" / str(person) / f"{canary}.png"
    picture.parent.mkdir(parents=True, exist_ok=True)
    picture.write_text(canary)
    execute(
        project.database_url,
        f"UPDATE streaming_listener SET email = '{canary}@example.com', display_name = '{canary} Doe'"
        f" WHERE id = {person}",
        f"DELETE FROM streaming_subscription WHERE listener_id = {person}",
        "INSERT INTO streaming_subscription (listener_id, plan, price, currency, period, started_on)"
        f" VALUES ({person}, 'solo', 10, 'EUR', 'month', '2024-01-01')",
        "INSERT INTO auth_group (name) VALUES ('editors') ON CONFLICT DO NOTHING",
        "INSERT INTO auth_user (username, password, is_superuser, first_name, last_name, email, is_staff,"
        f" is_active, date_joined) VALUES ('{canary}@example.com', '', false, '{canary}', 'Doe',"
        f" '{canary}@example.com', true, true, now())",
        "INSERT INTO auth_user_groups (user_id, group_id) SELECT u.id, g.id FROM auth_user u, auth_group g"
        f" WHERE u.username = '{canary}@example.com'",
        "INSERT INTO auth_user_user_permissions (user_id, permission_id) SELECT u.id, (SELECT min(id) FROM"
        f" auth_permission) FROM auth_user u WHERE u.username = '{canary}@example.com'",
        "INSERT INTO accord_accesstoken (reference, digest, account, fingerprint, label, service, made_at,"
        f" expires_at) SELECT md5('{canary}t'), repeat(md5('{canary}t'), 2), id::text,"
        f" repeat(md5('{canary}t'), 2), '{canary}', false, now(), now() + interval '1 day' FROM auth_user"
        f" WHERE username = '{canary}@example.com'",
        "INSERT INTO django_admin_log (action_time, user_id, object_repr, action_flag, change_message)"
        f" SELECT now(), id, 'some venue', 1, '{canary} was here' FROM auth_user"
        f" WHERE username LIKE '{canary}%'",
        "INSERT INTO auth_user (username, password, is_superuser, first_name, last_name, email, is_staff,"
        " is_active, date_joined) VALUES ('staff', '', false, '', '', '', true, true, now())"
        " ON CONFLICT DO NOTHING",
        "INSERT INTO django_admin_log (action_time, user_id, content_type_id, object_id, object_repr,"
        f" action_flag, change_message) SELECT now(), u.id, c.id, '{person}', '{canary} Doe', 2, ''"
        " FROM auth_user u, django_content_type c WHERE u.username = 'staff' AND c.model = 'listener'",
        "INSERT INTO auditlog_logentry (content_type_id, object_pk, object_id, object_repr, action,"
        f" changes_text, timestamp) SELECT id, '{person}', {person}, '{canary} Doe', 1, '', now()"
        " FROM django_content_type WHERE model = 'listener'",
        "INSERT INTO auditlog_logentry (content_type_id, object_pk, object_id, object_repr, action,"
        " changes_text, timestamp, actor_id, actor_email, remote_addr) SELECT c.id, '1', 1, 'a venue', 1, '',"
        f" now(), u.id, u.email, '192.0.2.7' FROM django_content_type c, auth_user u WHERE c.model = 'venue'"
        f" AND u.username LIKE '{canary}%'",
        f"INSERT INTO accord_actorreference (ref, kind, key, made_at) SELECT md5('{canary}a'), 'auth.user',"
        f" id::text, now() FROM auth_user WHERE username LIKE '{canary}%'",
        "INSERT INTO accord_actorreference (ref, kind, key, made_at)"
        f" VALUES (md5('{canary}b'), 'streaming.listener', '{person}', now())",
    )
    plant_documents(project, canary, person)
    session = (
        "from django.contrib.sessions.backends.db import SessionStore; "
        "from django.contrib.auth.models import User; "
        f"s = SessionStore(); s['_auth_user_id'] = str(User.objects.get(first_name='{canary}').pk); "
        f"s['note'] = '{canary}'; s.save(); t = SessionStore(); t['_auth_user_id'] = '0'; t.save()"
    )
    public = (
        "from examples.streaming.seeding.writers import index_documents; "
        f"index_documents('public-playlists', [('{canary}', {{'owner_id': '{person}', "
        f"'owner_name': '{canary} Doe', 'title': '{canary}', 'track_ids': [1]}})])"
    )
    project.manage("shell", "-v", "0", "-c", f"{session}; {public}")


def plant_documents(project: Project, canary: str, person: int) -> None:
    with MongoClient[dict[str, Any]](project.mongodb_url) as client:
        name = client.get_default_database().name
        both = client[name], client[f"{name}_documents"]
        both[0]["playlists"].update_many(
            {"owner_id": person}, [{"$set": {"name": {"$concat": [canary, " ", "$name"]}}}]
        )
        both[0]["plays"].insert_many(
            [
                {
                    "listener_id": person,
                    "track_id": 1,
                    "played_at": both[0]["playlists"].find_one({})["created_at"],  # type: ignore[index]  # seeded
                    "seconds": 1,
                    "source": "choice",
                    "note": canary,
                }
                for _ in range(5)
            ]
        )
        both[0]["recommendations"].update_many({"listener_id": person}, {"$set": {"note": canary}})
        both[1]["device_profile"].update_many({"listener_id": person}, {"$set": {"model_name": canary}})
        device = both[1]["device_profile"].find_one({"listener_id": person})
        assert device is not None
        both[1]["listening_session"].insert_one(
            {"listener_id": person, "device_id": device["_id"], "note": canary, "seconds": 1}
        )


# --- looking ------------------------------------------------------------------------------------------


def traces(canaries: Canaries, places: Iterable[Place]) -> dict[str, set[str]]:
    """
    Look for each canary in each form.

    Args:
        canaries: What to look for.
        places: Names of places, each with the bytes that are there.

    Returns:
        Where something was found, and what.
    """
    found: dict[str, set[str]] = {}
    for place, content in places:
        seen = {form for form, pattern in canaries.forms.items() if pattern.search(content)}
        if seen:
            found.setdefault(place, set()).update(seen)
    return found


def in_stores(project: Project) -> Iterator[Place]:
    """Give all bytes that the stores of a project give out."""
    yield from in_postgres(project)
    yield from in_mongodb(project)
    yield from in_search(project)


def in_postgres(project: Project) -> Iterator[Place]:
    """
    Dump the database of the project, table by table, with whatever is in no table.

    It is the only one: royalties are a history of their own in the same database.
    """
    dump = subprocess.run(
        [str(postgres_binary("pg_dump")), "--format", "plain", project.database_url],
        capture_output=True,
        check=True,
    ).stdout
    rest = bytearray()
    for part in re.split(rb"(?m)^(?=COPY )", dump):
        copy = re.match(rb"COPY (\S+) ", part)
        rows, _, after = part.partition(b"\n\\.\n") if copy else (b"", b"", part)
        if copy:
            yield f"postgres {copy[1].decode()}", rows
        rest += after
    yield "postgres, outside of tables", bytes(rest)


def in_mongodb(project: Project) -> Iterator[Place]:
    """Give each document of each collection as it is stored, and what is declared of the collection."""
    with MongoClient[RawBSONDocument](project.mongodb_url, document_class=RawBSONDocument) as client:
        name = client.get_default_database().name
        for database in (client[found] for found in client.list_database_names() if found.startswith(name)):
            for collection in database.list_collection_names():
                place = f"mongodb {database.name.removeprefix(name)}.{collection}"
                yield place, b"".join(document.raw for document in database[collection].find())
                yield place, b"".join(encode(index) for index in database[collection].list_indexes())
            # Names, options and validators of all of them.
            declared = b"".join(encode(found) for found in database.list_collections())
            yield f"mongodb {database.name.removeprefix(name)}", declared


def in_search(project: Project) -> Iterator[Place]:
    """Give each document of each index, with mappings, settings, aliases and templates."""
    yield "search, declared", json.dumps(project.search_content(), ensure_ascii=False).encode()
    project.ask("POST", f"/{project.prefix}*/_refresh?expand_wildcards=all")
    wanted = f"size={SEARCH_PAGE}&expand_wildcards=all&version=true"
    answer = project.ask("GET", f"/{project.prefix}*/_search?{wanted}")
    assert answer["hits"]["total"]["value"] < SEARCH_PAGE, "more documents than one page holds"
    for hit in answer["hits"]["hits"]:
        index = hit["_index"].removeprefix(project.prefix)
        yield f"search {index}", json.dumps(hit, ensure_ascii=False).encode()
    # What the server remembers of long deletes and copies.
    tasks = project.ask("GET", f"/.tasks/_search?size={SEARCH_PAGE}&ignore_unavailable=true")
    yield "search .tasks", json.dumps(tasks, ensure_ascii=False).encode()


def in_files(folder: Path) -> Iterator[Place]:
    """Give each file below a folder, with its name."""
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        yield f"file {name}", name.encode() + (path.read_bytes() if path.is_file() else b"")
