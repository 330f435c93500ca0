"""What a person can ask for by comment: one file for each command."""

from bot.commands.accept import accept_
from bot.commands.autoclose import autoclose
from bot.commands.cancel import cancel
from bot.commands.help import help_
from bot.commands.link import link
from bot.commands.monitor import monitor
from bot.commands.promote import promote
from bot.commands.retrain import retrain
from bot.commands.rollback import rollback
from bot.commands.snooze import snooze
from bot.commands.status import status
from bot.commands.train import train
from bot.commands.validate import validate
from bot.commands.wontfix import wontfix
from bot.grammar import Command

COMMANDS: tuple[Command, ...] = (
    train,
    validate,
    retrain,
    promote,
    rollback,
    accept_,
    monitor,
    snooze,
    wontfix,
    autoclose,
    status,
    cancel,
    link,
    help_,
)
