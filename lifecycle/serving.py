"""Every machine serves what the registry says: whoever crowns a version, all others find out and start a server too."""

from collections.abc import Mapping

from lifecycle.endpoints import Serving
from lifecycle.registry import BrokenVersion, Champion
from lifecycle.runs import Kind
from lifecycle.shop import Shop, serving_name
from lifecycle.store import Filter

PREFIX = "serve-"  # no job of a run is named so


def serve(shop: Shop, project: str, model: str) -> str:
    """Start what should serve here, and move the traffic to it as soon as it answers; why that is not so yet.

    Until then what served before goes on. Harmless to repeat.
    """
    name = serving_name(project, model)
    there, coming = shop.endpoint.deployments(name), _coming(shop, project, model)  # in this order: none is overlooked
    wanted = shop.registry.serving(project, model)
    shares = {one.deployment: share for one, share in wanted.items()}
    if shop.endpoint.routes(name) != shares and (why := _switch(shop, name, wanted)):
        return why
    for deployment in shares:
        shop.endpoint.status(deployment)  # which starts a server that died, before anybody asks for it
    for deployment in set(there) - shares.keys() - coming:
        shop.endpoint.retire(deployment)  # it served before, or was to and did not come up
    return ""


def _switch(shop: Shop, name: str, wanted: Mapping[Champion, int]) -> str:
    """Move the traffic to what is wanted, as soon as that answers; why not yet."""
    before = shop.endpoint.routes(name)
    try:
        states = {one.deployment: _started(shop, name, one) for one in wanted}
    except BrokenVersion as broken:
        return str(broken)
    if before and Serving.READY not in states.values():
        return f"{', '.join(states)} is not ready yet"
    shop.endpoint.route(name, {one.deployment: share for one, share in wanted.items()})
    return ""


def _coming(shop: Shop, project: str, model: str) -> set[str]:
    """What open runs are about to bring into production, and may have started already."""
    deploying = Filter(project=project, model=model, kinds=(Kind.PROMOTE, Kind.ROLLBACK), open_only=True)
    return {deployment_of(project, model, run.spec.version) for run in shop.store.find(deploying, limit=1000)}


def deployment_of(project: str, model: str, number: int | None) -> str:
    """The natural name of a deployment: the version's, so that deploying it again finds it."""
    return f"{PREFIX}{serving_name(project, model)}.v{number}"


def _started(shop: Shop, name: str, wanted: Champion) -> Serving:
    status = shop.endpoint.status(wanted.deployment)
    version = shop.registry.get(wanted.project, wanted.model, wanted.number)
    if status.state is not Serving.UNKNOWN or version is None:
        return status.state
    shop.registry.verify(version)
    shop.endpoint.deploy(name, wanted.deployment, shop.registry.folder(version))
    return Serving.STARTING
