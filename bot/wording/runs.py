"""A run's comment and its check, as they should read now."""

from collections.abc import Sequence
from functools import partial
from typing import assert_never

from bot.acceptances import Acceptance
from bot.ports import Annotation, Button, Check, Conclusion, Pressed
from bot.refs import Ref
from bot.wording import evidence
from bot.wording.monitored import answers_worse, monitored
from bot.wording.reports import judgement_of, report
from bot.wording.sentences import plain_sentence
from bot.wording.style import Style
from bot.wording.words import cell, lasted, moment, name, ordinal, plain, sha
from bot.world import World
from lifecycle import Judgement, Kind, Run, Stage, StageRecord, StageState, State

MARKS = {
    StageState.PLANNED: "◽",
    StageState.RUNNING: "⏳",
    StageState.DONE: "✅",
    StageState.FAILED: "❌",
    StageState.CANCELLED: "⏹️",
}


def run_comment(run: Run, ahead: Sequence[int], world: World, accepted: Acceptance | None = None) -> str:
    """The one comment of a run: what it is, how far it is, what came out, as far as its place can render it."""
    style = Style.of(Ref.parse(run.spec.ref).system) if run.spec.ref else Style.GITHUB
    return "\n".join([_heading(run), "", *_body(run, ahead, world, style, accepted), "", _footer(run, world, style)])


def check_name(model: str) -> str:
    """What a model's check is called."""
    return f"lifecycle / {model}"


def run_check(
    run: Run, world: World, accepted: Acceptance | None = None, annotations: Sequence[Annotation] = ()
) -> Check:
    """The check of a pull request's run."""
    return Check(
        commit=run.spec.commit,
        name=check_name(run.spec.model),
        external=str(run.id),
        conclusion=_accepted(run) if accepted else _conclusion(run),
        title=f"Accepted as it is by {accepted.by}. {_title(run)}"[:250] if accepted else _title(run),
        summary=_summary(run, world, accepted),
        url=world.run_page(run.id),
        annotations=tuple(annotations),
        buttons=_buttons(run, accepted),
    )


def _summary(run: Run, world: World, accepted: Acceptance | None) -> str:
    """The report without its first sentence where the title says it already, right above."""
    lines = _body(run, (), world, Style.GITHUB, accepted)
    said = bool(lines) and lines[0] == plain(_title(run), 600)
    return "\n".join(lines[2:] if said else lines)


def _accepted(run: Run) -> Conclusion:
    """It passes; what is worse is still not called a success."""
    return Conclusion.NEUTRAL if run.verdict == "FAIL" else Conclusion.SUCCESS


def _buttons(run: Run, accepted: Acceptance | None) -> tuple[Button, ...]:
    if not run.state.ended:
        return ()
    again = Button("Run again", "Train and judge this commit once more", Pressed.AGAIN)
    accept = Button("Accept as is", "Let this commit pass, and say who did", Pressed.ACCEPT)
    acceptable = run.state is State.SUCCEEDED and run.verdict in ("FAIL", "INCONCLUSIVE") and not accepted
    return (again, accept) if acceptable else (again,)


def _heading(run: Run) -> str:
    model = name(run.spec.model)
    match run.state:
        case State.WAITING:
            return f"### 🕐 {_doing(run)} {model} waits in line"
        case State.RUNNING:
            return f"### ⏳ {_doing(run)} {model}"
        case State.CANCELLED:
            return f"### ⏹️ {_doing(run)} {model} was cancelled"
        case State.FAILED:
            return f"### ❌ {_doing(run)} {model} did not succeed"
        case State.SUCCEEDED:
            return _ended_well(run, model)
        case _:
            assert_never(run.state)


def _ended_well(run: Run, model: str) -> str:
    version = f" v{run.version}" if run.version else ""
    match run.spec.kind:
        case Kind.PROMOTE:
            share = run.spec.options.get("share", 100)
            return f"### 🚀 {model}{version} serves" + ("" if share == 100 else f" {share} % of the traffic")
        case Kind.ROLLBACK:
            return f"### ↩️ {model}{version} serves again"
        case Kind.MONITOR if answers_worse(run):
            return f"### 🚨 {model} answers worse than when it was validated"
        case Kind.MONITOR:
            icon, what = {"ALARM": ("🚨", "drifts"), "WARN": ("⚠️", "moved a little")}.get(
                run.verdict, ("✅", "is asked what it was trained for")
            )
            return f"### {icon} {model} {what}"
        case Kind.TRAIN | Kind.RETRAIN | Kind.VALIDATE:
            icon, what = {
                "PASS": ("✅", "is good enough"),
                "FAIL": ("❌", "is worse"),
                "INCONCLUSIVE": ("⚖️", "cannot be told apart yet"),
            }.get(run.verdict, ("✅", "is done"))
            return f"### {icon} {model}{version} {what}"
        case _:
            assert_never(run.spec.kind)


def _doing(run: Run) -> str:
    match run.spec.kind:
        case Kind.TRAIN:
            return "Training"
        case Kind.RETRAIN:
            return "Retraining"
        case Kind.VALIDATE:
            return "Validating"
        case Kind.PROMOTE:
            return "Promoting"
        case Kind.ROLLBACK:
            return "Rolling back"
        case Kind.MONITOR:
            return "Monitoring"
        case _:
            assert_never(run.spec.kind)


def _body(run: Run, ahead: Sequence[int], world: World, style: Style, accepted: Acceptance | None = None) -> list[str]:
    validate, monitor = run.stage(Stage.VALIDATE), run.stage(Stage.MONITOR)
    judged = judgement_of(validate.result) if validate else None
    if validate and judged and run.state is State.SUCCEEDED:
        return [*_acceptance(accepted), *_reported(run, validate, judged, world, style)]
    lines = [_asked(run, world), ""]
    if run.state is State.WAITING and ahead:
        last = ahead[-1]
        lines += [f"{ordinal(len(ahead) + 1).capitalize()} in line, after [run {last}]({world.run_page(last)}).", ""]
    elif run.state is State.WAITING:
        lines += ["Next to begin, as soon as one of the runs under way has ended.", ""]
    if run.reason and run.state is not State.SUCCEEDED:
        lines += [f"**{plain(run.reason, 1500)}**", ""]
    if monitor and monitor.note:
        lines += [*monitored(monitor), ""]
    return [*lines, *_stages(run)]


def _acceptance(accepted: Acceptance | None) -> list[str]:
    if accepted is None:
        return []
    only = f"for commit {sha(accepted.commit)} only"
    return [f"**Accepted as it is** by {name(accepted.by)} on {moment(accepted.at)}, {only}.", ""]


def _reported(run: Run, validate: StageRecord, judged: Judgement, world: World, style: Style) -> list[str]:
    """The validation report."""
    url = None if world.figure_url is None else partial(world.figure_url, run.id)
    lines = [*report(judged, validate.result, style, url), "", *_next(run)]
    lines += [f"{line}  " for line in (*evidence.context(validate.result), _asked(run, world))]
    return [
        *lines,
        *evidence.details(run, judged, validate.result, world, style),
        *(style.folded("Stages", _stages(run)) if style is Style.GITHUB else ()),
    ]


def _asked(run: Run, world: World) -> str:
    commit = f"commit [{sha(run.spec.commit)}]({world.commit_page(run.spec.project, run.spec.commit)})"
    params = ", ".join(name(f"{key}={value}") for key, value in list(run.spec.params.items())[:20])
    what = f"At {commit}" + (f", with {params}" if params else "")
    return f"{what}, asked for by {name(run.spec.asked_by)}."


def _stages(run: Run) -> list[str]:
    lines = ["| stage | | took | |", "|---|---|--:|---|"]
    return lines + [_stage(record) for record in run.stages]


def _stage(record: StageRecord) -> str:
    took = lasted(record.started, record.ended)
    note = cell(plain(record.note)) if record.stage in (Stage.TRAIN, Stage.PACKAGE, Stage.DEPLOY) else ""
    if record.state is StageState.RUNNING and record.started:
        note = f"since {moment(record.started)}" + (f", attempt {record.attempt}" if record.attempt > 1 else "")
    return f"| {record.stage} | {MARKS[record.state]} | {took} | {note} |"


def _next(run: Run) -> list[str]:
    if run.spec.kind is Kind.VALIDATE or run.version is None:
        return []
    if run.verdict == "FAIL":
        return ["It was kept as a version, but it cannot be promoted.", ""]
    return [f"Somebody else can put it into production with `/promote v{run.version}`.", ""]


def _footer(run: Run, world: World, style: Style) -> str:
    page = f"[Run {run.id}]({world.run_page(run.id)})"
    if run.state.ended:
        more = ": everything in detail" if run.stage(Stage.VALIDATE) else ""
        return style.small(f"{page}{more} · {moment(run.ended) if run.ended else ''}")
    return style.small(f"{page}: live log and report · `/cancel {run.id}` ends it")


def _conclusion(run: Run) -> Conclusion:
    match run.state:
        case State.WAITING:
            return Conclusion.QUEUED
        case State.RUNNING:
            return Conclusion.RUNNING
        case State.CANCELLED:
            return Conclusion.CANCELLED
        case State.FAILED:
            return Conclusion.FAILURE
        case State.SUCCEEDED:
            verdicts = {"FAIL": Conclusion.FAILURE, "INCONCLUSIVE": Conclusion.NEUTRAL}
            return verdicts.get(run.verdict, Conclusion.SUCCESS)
        case _:
            assert_never(run.state)


def _title(run: Run) -> str:
    validate = run.stage(Stage.VALIDATE)
    if run.state is State.SUCCEEDED and validate:
        judged = judgement_of(validate.result)
        return (plain_sentence(judged, validate.result.get("champion")) if judged else validate.note)[:250]
    if run.state.ended:
        return (run.reason or f"The run was {run.state}.")[:250]
    return "Waits in line" if run.state is State.WAITING else f"Run {run.id} is under way"
