"""People of the stand-in organisation, and the three ways in which its wire formats write one down."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account: a uuid, a name to show, a sign-in name (an e-mail address) and a graph descriptor."""

    id: str
    display_name: str
    unique_name: str
    descriptor: str

    def signature(self) -> str:
        """The form of service hooks and of reporting: Name <sign-in>."""
        return f"{self.display_name} <{self.unique_name}>"

    def goes_by(self, words: str) -> bool:
        """Whether words name this person: id, descriptor, sign-in, display name or signature, in any case."""
        names = {self.id, self.descriptor, self.unique_name, self.display_name, self.signature()}
        return words.strip().lower() in {name.lower() for name in names}


def identity_ref(person: Person, base_url: str) -> dict[str, Any]:
    """IdentityRef of the REST API 7.x."""
    avatar = f"{base_url}/_apis/GraphProfile/MemberAvatars/{person.descriptor}"
    return {
        "displayName": person.display_name,
        "url": f"{base_url}/_apis/Identities/{person.id}",
        "_links": {"avatar": {"href": avatar}},
        "id": person.id,
        "uniqueName": person.unique_name,
        "imageUrl": avatar,
        "descriptor": person.descriptor,
    }


def revised_by(person: Person, base_url: str) -> dict[str, Any]:
    """The actor of an update, which carries one name more than an IdentityRef."""
    return identity_ref(person, base_url) | {"name": person.signature()}
