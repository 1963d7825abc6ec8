"""Parts of the HTML page; each file makes one section from the contents."""
