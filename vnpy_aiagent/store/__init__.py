"""Journal and command inbox: SQLite by default, PostgreSQL by URL."""
