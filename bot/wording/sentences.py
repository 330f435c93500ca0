"""The one sentence under a report's verdict, for people who have never heard of an interval. Pure."""

from bot.wording.words import number
from lifecycle import METRICS, Comparison, Judgement, Verdict

# What the candidate does, and the rest of the sentence for the other model.
KNOWN = {
    "mae": ("it is wrong by {new} on average", "{who} by {old}"),
    "rmse": ("its typical error is {new}", "that of {who} {old}"),
    "mape": ("it is wrong by {new} of the truth on average", "{who} by {old}"),
    "accuracy": ("it is right about {new} of them", "{who} about {old}"),
    "auc": ("it tells the two classes apart in {new} of all pairs", "{who} in {old}"),
    "precision": ("{new} of what it flags is right", "of what {who} flags {old}"),
    "recall": ("it finds {new} of what it should find", "{who} {old}"),
}
SHARES = {"mape", "accuracy", "auc", "precision", "recall"}


def plain_sentence(judged: Judgement, champion: int | None) -> str:
    """What was found, without a statistic's name where there is a plain word for it."""
    one = judged.primary
    own, other = KNOWN.get(one.metric, (f"its {words_of(one.metric)} is {{new}}", "that of {who} {old}"))
    new = own.format(new=value(one, one.candidate))
    if one.champion is None:
        rows = f"On {one.rows:,} rows that it had not seen"
        return f"{rows}, {new}; there is nothing in production to compare with.{_but(judged)}"
    who = f"v{champion}" if champion else "the other model"
    old = other.format(who=who, old=value(one, one.champion))
    rows = f"On {one.rows:,} rows that neither model had seen"
    return f"{rows}, {new}, {old}: {_meaning(one)}.{_but(judged)}"


def value(one: Comparison, amount: float) -> str:
    """A share as per cent with as many digits as tell two such shares apart, anything else as a number."""
    if one.metric not in SHARES:
        return number(amount)
    gap = abs(one.difference.estimate) if one.difference else 1.0
    return f"{amount:.1%}".replace("%", " %") if gap >= 0.001 else f"{amount:.2%}".replace("%", " %")


def words_of(metric: str) -> str:
    """The metric in words, with its name."""
    known = METRICS.get(metric)
    return f"{known.words} ({metric})" if known else metric


def _meaning(one: Comparison) -> str:
    gap = relative(one)
    match one.verdict:
        case Verdict.PASS if one.difference is not None and _sure(one) and one.better:
            return f"{gap} better, and not by chance"
        case Verdict.PASS if one.difference is not None and one.difference.estimate == 0:
            return "the same"
        case Verdict.PASS:
            return f"as good, for {_margin(one)}"
        case Verdict.FAIL if one.better:
            return f"{gap} better, which could be chance, and an improvement is asked for"
        case Verdict.FAIL:
            return f"{gap} worse, and not by chance; {_margin(one)}"
        case _:
            more = f"; about {_rounded(one.rows_needed):,} rows would tell" if one.rows_needed else ""
            way = "better" if one.better else "worse"
            return f"{gap} {way}, which could be chance{more}"


def relative(one: Comparison) -> str:
    """The size of the difference, relative for losses, in points for shares."""
    if one.difference is None or not one.champion:
        return ""
    size = abs(one.difference.estimate)
    if one.greater_is_better:
        points = 100 * size
        return f"{points:.1f} points" if points >= 0.1 else f"{points:.2g} points"
    share = 100 * size / abs(one.champion)
    return f"{share:.0f} %" if share >= 9.95 else f"{share:.1f} %" if share >= 0.1 else f"{share:.2g} %"


def _margin(one: Comparison) -> str:
    if not one.margin or not one.champion:
        return "no loss at all is allowed"
    if one.greater_is_better:
        return f"up to {100 * one.margin:.2g} points worse counts as good"
    return f"up to {100 * one.margin / abs(one.champion):.2g} % worse counts as good"


def _sure(one: Comparison) -> bool:
    return one.difference is not None and (one.difference.low > 0 or one.difference.high < 0)


def _but(judged: Judgement) -> str:
    """Why the verdict is not the metric's own."""
    if judged.verdict is judged.primary.verdict or judged.verdict is Verdict.PASS:
        return ""
    failed = next((one for one in judged.checks if one.outcome == "FAIL"), None)
    if failed is not None:
        return f" But: {failed.sentence}"
    worst = next((one for one in judged.slices if one.verdict is Verdict.FAIL), None)
    if worst is not None:
        return f" But it got clearly worse where {worst.name} is {worst.value}."
    if judged.baseline is not None and judged.baseline.verdict is not Verdict.PASS:
        surely = "does not beat" if judged.baseline.verdict is Verdict.FAIL else "is not surely better than"
        return f" But it {surely} answering the same for every row."
    return ""


def _rounded(value: int) -> int:
    """Two digits are all that such an estimate deserves; upwards."""
    step = int(10 ** max(len(str(value)) - 2, 0))
    return -(-value // step) * step
