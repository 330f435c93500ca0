"""What the bot does about each kind of event: `handle` is the only way in."""
