"""What somebody has to put right before a stage can go on; each message is a sentence for people."""


class Trouble(Exception):
    """A stage cannot go on, and trying again will not help."""


class BadData(Trouble):
    """The data cannot be used; the model's owner must act."""


class NoSuchData(BadData):
    """There is nothing at that place, or nothing yet."""
