"""What a test of the project sees of its stores, told to whoever started the tests."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, cast

from django.db import connections

from accord.seam.registry import opened
from mongo_migrations.store import MongoStore
from searchindex.store import SearchStore


def look(who: str, *, write: bool = True) -> dict[str, Any]:
    """Look at every store, write into it, and append what was seen to the file `TESTED_SEEN`."""
    with opened() as stores:
        documents = cast("MongoStore", stores["mongodb"]).database()
        search = cast("SearchStore", stores["search"])
        seen = {
            "who": who,
            "documents": documents.name,
            "collections": sorted(documents.list_collection_names()),
            "welcomes": documents["notes"].count_documents({"note": 0}),
            "prefix": search.names.prefix,
            "indexes": sorted(search.transport.find(f"/_alias/{search.names.prefix}*") or ()),
            "database": connections["default"].settings_dict["NAME"],
        }
        if write:
            documents["notes"].insert_one({"note": 7})
            search.transport.request("POST", f"/{search.names.alias('notes')}/_doc", {"text": who})
    with Path(os.environ["TESTED_SEEN"]).open("a") as file:
        file.write(json.dumps(seen) + "\n")
    return seen
