"""`python -m deploy.commands`: the same as the console script; how the supervisor starts its children."""

from deploy.commands.cli import main

main()
