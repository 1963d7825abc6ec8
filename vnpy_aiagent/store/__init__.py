"""Journal, command inbox and state table: SQLite by default, PostgreSQL by URL."""
