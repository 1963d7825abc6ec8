"""Exit 0 when the PostgreSQL server of the given URL answers: `postgres_answers.py URL`."""

import sys

import psycopg2


def main(url: str) -> int:
    """Connect once; the exit status."""
    try:
        connection = psycopg2.connect(url, connect_timeout=5)
    except psycopg2.OperationalError as error:
        print(f"PostgreSQL does not answer: {str(error).strip()}", file=sys.stderr)
        return 1
    print(f"PostgreSQL {connection.server_version} answers")
    connection.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
