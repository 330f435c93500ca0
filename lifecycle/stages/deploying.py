"""Deploy: a version starts to serve, gets its share of the traffic, and the one before it retires."""

from collections.abc import Mapping

from lifecycle.endpoints import Serving, ServingStatus
from lifecycle.executors import JobState, JobStatus
from lifecycle.registry import Champion, Version
from lifecycle.runs import Run, StageRecord
from lifecycle.serving import PREFIX, deployment_of, serve
from lifecycle.shop import Outcome, Shop, Trouble, serving_name

PART = "server"
__all__ = ["PART", "PREFIX", "begin", "deployment", "finish", "status"]
AS_JOB = {
    Serving.UNKNOWN: JobState.UNKNOWN,
    Serving.STARTING: JobState.RUNNING,
    Serving.READY: JobState.SUCCEEDED,
    Serving.FAILED: JobState.FAILED,
}


def deployment(run: Run) -> str:
    """The natural name of the deployment: the version's, so that deploying it again finds it."""
    return deployment_of(run.spec.project, run.spec.model, run.spec.version)


def begin(shop: Shop, run: Run) -> None:
    """Start the server, without traffic yet; what its manifest does not vouch for is not served."""
    version = _version(shop, run)
    shop.registry.verify(version)
    name = serving_name(run.spec.project, run.spec.model)
    shop.endpoint.deploy(name, deployment(run), shop.registry.folder(version))


def status(shop: Shop, run: Run) -> Mapping[str, JobStatus]:
    """The server as if it were a job: started well means that it answers."""
    seen: ServingStatus = shop.endpoint.status(deployment(run))
    return {deployment(run): JobStatus(AS_JOB[seen.state], seen.reason)}


def finish(shop: Shop, run: Run, record: StageRecord) -> Outcome:  # noqa: ARG001
    """Note who put the version in production, and give its server its share of the traffic."""
    version = _version(shop, run)
    share = int(run.spec.options.get("share", 100))
    champion = shop.registry.champion(run.spec.project, run.spec.model)
    mine, shares = deployment(run), {deployment(run): 100}
    if share < 100:
        if champion is None or champion.number == version.number:
            raise Trouble("A share of the traffic needs another version that serves the rest; promote one first.")
        shares = {deployment_of(run.spec.project, run.spec.model, champion.number): 100 - share, mine: share}
    crowned = Champion(
        project=run.spec.project,
        model=run.spec.model,
        number=version.number,
        deployment=mine,
        share=share,
        by=run.spec.asked_by,
        run=run.id,
        at=shop.now(),
    )
    shop.registry.crown(crowned, run)
    serve(shop, run.spec.project, run.spec.model)  # others follow by themselves, as this machine would
    if share == 100:
        shop.watching.retrained(run.spec.project, run.spec.model, version.number)
    return Outcome(f"{version.name} serves {share} % of the traffic", {"shares": shares, "deployment": mine})


def _version(shop: Shop, run: Run) -> Version:
    number = run.spec.version
    version = shop.registry.get(run.spec.project, run.spec.model, number) if number is not None else None
    if version is None:
        raise Trouble(f"There is no version v{number} of {run.spec.model}.")
    return version
