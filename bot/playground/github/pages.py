"""The pages that people look at and type into."""

from flask import Blueprint

pages = Blueprint("github_pages", __name__)


def trouble(status: int, message: str) -> tuple[str, int]:
    return message, status
