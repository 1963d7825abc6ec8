"""`python -m vnpy_aiagent` is `aiagent`."""

from vnpy_aiagent.cli import main

if __name__ == "__main__":
    main()
