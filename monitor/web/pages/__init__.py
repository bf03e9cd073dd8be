"""One file, one page: it asks for a picture, makes the page's model and shows it."""
