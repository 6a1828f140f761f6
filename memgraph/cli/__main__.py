"""`python -m memgraph.cli`: the command line where the installed program is not on the path."""

from memgraph.cli import main

if __name__ == "__main__":
    main()
