"""Every machine serves what the registry says: whoever crowns a version, all others find out and start a server too."""

from lifecycle.endpoints import Serving
from lifecycle.registry import BrokenVersion, Champion
from lifecycle.shop import Shop, serving_name


def serve(shop: Shop, project: str, model: str) -> str:
    """Start what should serve here, and move the traffic to it as soon as it answers; why that is not so yet.

    Until then what served before goes on. Harmless to repeat.
    """
    wanted, name = shop.registry.serving(project, model), serving_name(project, model)
    shares = {one.deployment: share for one, share in wanted.items()}
    before = shop.endpoint.routes(name)
    if before == shares:
        return ""
    try:
        states = {one.deployment: _started(shop, name, one) for one in wanted}
    except BrokenVersion as broken:
        return str(broken)
    if before and Serving.READY not in states.values():
        return f"{', '.join(states)} is not ready yet"
    shop.endpoint.route(name, shares)
    for retired in before.keys() - shares.keys():
        shop.endpoint.retire(retired)
    return ""


def _started(shop: Shop, name: str, wanted: Champion) -> Serving:
    status = shop.endpoint.status(wanted.deployment)
    version = shop.registry.get(wanted.project, wanted.model, wanted.number)
    if status.state is not Serving.UNKNOWN or version is None:
        return status.state
    shop.registry.verify(version)
    shop.endpoint.deploy(name, wanted.deployment, shop.registry.folder(version))
    return Serving.STARTING
