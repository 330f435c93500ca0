"""How a client finds its way: the table of resource locations, the areas and who it is signed in as."""

import json
from functools import cache
from importlib.resources import files
from typing import Any

from .people import Person
from .state import Organisation
from .wire import Answer, Call, Routes, collection

routes = Routes()

# Identifiers of service areas, as the client library has them compiled in.
AREAS = {
    "wit": "5264459e-e5e0-4bd8-b118-0985e68a4ec5",
    "git": "4e080c62-fa21-4fbc-8fef-2a10a2b38049",
    "build": "965220d5-5bb9-42cf-8d67-9b146df2a5a4",
    "work": "1d4f49f9-02b9-4e26-b826-2cdb6195f2a9",
    "core": "79134c72-4a58-4b42-976c-04e7115f32bf",
    "policy": "fb13a388-40dd-4a04-b530-013a739c72ef",
}


@cache
def locations() -> tuple[dict[str, Any], ...]:
    """The resource locations, as OPTIONS _apis lists them."""
    text = files("bot.playground").joinpath("data/azure_resource_locations.json").read_text("utf-8")
    return tuple(json.loads(text)["locations"])


@routes("OPTIONS", "_apis")
def options(_: Call) -> Answer:
    return collection(list(locations()))


def _area(org: Organisation, name: str) -> dict[str, str]:
    return {"id": AREAS[name], "name": name, "locationUrl": org.base_url + "/"}


@routes("GET", "_apis/resourceareas")
def areas(call: Call) -> Answer:
    return collection([_area(call.org, name) for name in AREAS])


@routes("GET", "_apis/resourceareas/{area}")
def one_area(call: Call) -> Answer:
    for name, number in AREAS.items():
        if call.parts["area"].lower() in (name, number):
            return Answer(_area(call.org, name))
    return Answer({"id": call.parts["area"], "name": None, "locationUrl": None})


@routes("GET", "_apis/connectiondata")
def connection(call: Call) -> Answer:
    user = _user(call.person)
    return Answer(
        {
            "authenticatedUser": user,
            "authorizedUser": user,
            "instanceId": call.org.id,
            "deploymentId": call.org.account_id,
            "deploymentType": "hosted",
            "locationServiceData": {
                "serviceOwner": "00025394-6065-48ca-87d9-7f5672854ef7",
                "defaultAccessMappingMoniker": "HostGuidAccessMapping",
                "lastChangeId": 1,
                "lastChangeId64": 1,
            },
        }
    )


def _user(person: Person) -> dict[str, Any]:
    return {
        "id": person.id,
        "descriptor": f"Microsoft.IdentityModel.Claims.ClaimsIdentity;playground\\{person.unique_name}",
        "subjectDescriptor": person.descriptor,
        "providerDisplayName": person.display_name,
        "isActive": True,
        "properties": {"Account": {"$type": "System.String", "$value": person.unique_name}},
        "resourceVersion": 2,
        "metaTypeId": 0,
    }
